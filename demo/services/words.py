"""Invented names: of a company, its people, its customers, what it makes. Any likeness is chance."""

from typing import NamedTuple


class Person(NamedTuple):
    """Somebody of the demo company."""

    key: str
    name: str
    roles: tuple[str, ...]
    team: str
    language: str = "en"


#: The company itself; bank account and tax ids are examples that belong to nobody.
SELLER = {
    "name": "Rollenwerk Beispiel GmbH",
    "address": "Förderallee 12\n01067 Dresden",
    "country": "DE",
    "tax_id": "201/999/99999",
    "vat_id": "DE999999999",
    "registration": "Amtsgericht Dresden, HRB 99999",
    "email": "office@rollenwerk.example",
    "phone": "+49 555 0100",
    "website": "https://rollenwerk.example",
    "bank_name": "Musterbank",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "time_zone": "Europe/Berlin",
}

#: Department of each team.
TEAMS = {
    "Sales Europe": "Sales and projects",
    "Sales China": "Sales and projects",
    "Projects": "Sales and projects",
    "Warehouse": "Operations",
    "Accounting": "Finance",
    "Office": "Finance",
}

PEOPLE = (
    Person("sales", "Ella Demo (Sales)", ("sales",), "Sales Europe"),
    Person("sales.manager", "Oscar Demo (Sales manager)", ("sales_manager",), "Sales Europe"),
    Person("pm", "Mira Demo (Projects)", ("pm",), "Projects"),
    Person("warehouse", "Theo Demo (Warehouse)", ("warehouse",), "Warehouse"),
    Person("service", "Jonas Demo (Service)", ("service",), "Projects"),
    Person("service2", "Nele Demo (Service)", ("service",), "Projects"),
    Person("finance", "Clara Demo (Finance)", ("finance",), "Accounting"),
    Person("finance.manager", "Hugo Demo (Finance manager)", ("finance_manager",), "Accounting"),
    Person("manager", "Ruth Demo (Manager)", ("manager",), "Projects"),
    Person("admin", "Adam Demo (Administrator)", ("admin",), "Office"),
    Person("xiaoshou", "演示·晓雯（销售）", ("sales",), "Sales China", "zh-hans"),
    Person("xiangmu", "演示·志远（项目经理）", ("pm",), "Projects", "zh-hans"),
    Person("cangku", "演示·立群（仓库）", ("warehouse",), "Warehouse", "zh-hans"),
    Person("guwen", "演示·若溪（服务顾问）", ("service",), "Projects", "zh-hans"),
    Person("caiwu", "演示·思敏（财务）", ("finance",), "Accounting", "zh-hans"),
)


class Good(NamedTuple):
    """A product or service: sku, names in both languages, category, unit, list price and cost in EUR."""

    sku: str
    name: str
    chinese: str
    category: str
    unit: str
    price: str
    cost: str
    supply: str  # stock, make or service
    target: int = 0  # how many are kept in stock


CATEGORIES = ("Conveyor technology", "Drives", "Sensors and control", "Spare parts", "Services", "Material")
GOODS = (
    Good("CV-600", "Belt conveyor module 600 mm", "600毫米皮带输送模块", CATEGORIES[0], "pcs", "2480.00", "1490.00", "make"),
    Good("CV-900", "Belt conveyor module 900 mm", "900毫米皮带输送模块", CATEGORIES[0], "pcs", "3120.00", "1885.00", "make"),
    Good("RC-400", "Roller conveyor, driven, 400 mm", "400毫米动力滚筒输送机", CATEGORIES[0], "pcs", "1890.00", "1120.00", "make"),
    Good("TR-090", "90° transfer unit", "90度转向移载单元", CATEGORIES[0], "pcs", "4350.00", "2740.00", "make"),
    Good("SO-012", "Sorter, 12 outlets", "12口分拣机", CATEGORIES[0], "pcs", "28900.00", "18650.00", "make"),
    Good("LI-150", "Vertical lift 150 kg", "150公斤垂直提升机", CATEGORIES[0], "pcs", "16400.00", "10150.00", "make"),
    Good("PK-220", "Case packer, 220 cases per hour", "装箱机（220箱/小时）", CATEGORIES[0], "pcs", "41200.00", "27300.00", "make"),
    Good("MO-037", "Gear motor 0.37 kW", "0.37千瓦减速电机", CATEGORIES[1], "pcs", "312.00", "188.00", "stock", 120),
    Good("MO-075", "Gear motor 0.75 kW", "0.75千瓦减速电机", CATEGORIES[1], "pcs", "438.00", "266.00", "stock", 90),
    Good("FI-075", "Frequency inverter 0.75 kW", "0.75千瓦变频器", CATEGORIES[1], "pcs", "265.00", "151.00", "stock", 80),
    Good("FI-220", "Frequency inverter 2.2 kW", "2.2千瓦变频器", CATEGORIES[1], "pcs", "398.00", "236.00", "stock", 50),
    Good("DR-050", "Motorised roller 50 mm, 24 V", "50毫米24伏电动滚筒", CATEGORIES[1], "pcs", "146.00", "84.00", "stock", 300),
    Good("SE-M18", "Inductive sensor M18", "M18电感式传感器", CATEGORIES[2], "pcs", "38.50", "19.80", "stock", 600),
    Good("SE-LB2", "Light barrier, 2 m", "2米光电开关", CATEGORIES[2], "pcs", "74.00", "41.00", "stock", 350),
    Good("SC-2D1", "2D code reader", "二维码读码器", CATEGORIES[2], "pcs", "890.00", "540.00", "stock", 40),
    Good("PL-S12", "Controller S12 with 32 inputs", "S12控制器（32点输入）", CATEGORIES[2], "pcs", "1240.00", "765.00", "stock", 35),
    Good("HM-070", "Operator panel 7 inch", "7英寸操作屏", CATEGORIES[2], "pcs", "612.00", "370.00", "stock", 45),
    Good("ES-001", "Emergency stop box", "急停按钮盒", CATEGORIES[2], "pcs", "96.00", "52.00", "stock", 160),
    Good("BE-600", "Conveyor belt 600 mm, PU", "600毫米聚氨酯输送带", CATEGORIES[3], "m", "46.20", "24.90", "stock", 900),
    Good("BE-900", "Conveyor belt 900 mm, PU", "900毫米聚氨酯输送带", CATEGORIES[3], "m", "68.40", "37.10", "stock", 700),
    Good("RO-400", "Carrying roller 400 mm", "400毫米托辊", CATEGORIES[3], "pcs", "17.90", "8.60", "stock", 1500),
    Good("BR-205", "Bearing unit 205", "205轴承座", CATEGORIES[3], "pcs", "12.40", "6.10", "stock", 1200),
    Good("CH-081", "Roller chain 08B-1", "08B-1滚子链", CATEGORIES[3], "m", "9.80", "4.70", "stock", 1600),
    Good("KT-S01", "Wear parts kit, yearly", "年度易损件套装", CATEGORIES[3], "set", "385.00", "214.00", "stock", 110),
    Good("FR-100", "Side guide profile", "侧导向型材", CATEGORIES[3], "m", "21.50", "11.20", "stock", 800),
    Good("SV-ENG", "Engineering and layout", "方案设计与布局", CATEGORIES[4], "h", "112.00", "64.00", "service"),
    Good("SV-INS", "Installation on site", "现场安装", CATEGORIES[4], "day", "980.00", "610.00", "service"),
    Good("SV-COM", "Commissioning", "调试", CATEGORIES[4], "day", "1150.00", "700.00", "service"),
    Good("SV-TRN", "Operator training", "操作员培训", CATEGORIES[4], "day", "890.00", "480.00", "service"),
    Good("SV-MNT", "Maintenance visit", "维护保养服务", CATEGORIES[4], "day", "740.00", "430.00", "service"),
    Good("SV-RET", "Retrofit of an existing line", "旧线改造", CATEGORIES[4], "day", "1240.00", "760.00", "service"),
)  # fmt: skip


#: What conveyors are made of: bought, and made in the shop on the way.
MATERIALS = (
    Good("ST-P40", "Steel profile 40 × 40 × 3", "40×40×3方钢管", CATEGORIES[5], "m", "0", "7.40", "stock", 60),
    Good("ST-S20", "Steel sheet 2 mm", "2毫米钢板", CATEGORIES[5], "m2", "0", "21.50", "stock", 20),
    Good("ST-R25", "Round steel 25 mm", "25毫米圆钢", CATEGORIES[5], "m", "0", "9.80", "stock", 120),
    Good("BO-M08", "Bolt M8 × 25 with nut", "M8×25螺栓螺母", CATEGORIES[5], "pcs", "0", "0.16", "stock", 4000),
)  # fmt: skip
ASSEMBLIES = (
    Good("FR-600", "Frame 600 mm, welded", "600毫米焊接机架", CATEGORIES[5], "pcs", "0", "310.00", "make"),
    Good("FR-900", "Frame 900 mm, welded", "900毫米焊接机架", CATEGORIES[5], "pcs", "0", "395.00", "make"),
    Good("DU-037", "Drive unit 0.37 kW", "0.37千瓦驱动单元", CATEGORIES[5], "pcs", "0", "265.00", "make"),
    Good("DU-075", "Drive unit 0.75 kW", "0.75千瓦驱动单元", CATEGORIES[5], "pcs", "0", "348.00", "make"),
    Good("DS-025", "Drive shaft 25 mm, turned", "25毫米驱动轴", CATEGORIES[5], "pcs", "0", "38.00", "make"),
)  # fmt: skip
#: product: (component, quantity per unit, scrap in percent)
BOMS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "DS-025": (("ST-R25", "0.75", "5"), ("BR-205", "2", "0")),
    "DU-037": (("MO-037", "1", "0"), ("CH-081", "1.8", "2"), ("DS-025", "1", "0"), ("BO-M08", "12", "2.5")),
    "DU-075": (("MO-075", "1", "0"), ("CH-081", "2.2", "2"), ("DS-025", "1", "0"), ("BO-M08", "12", "2.5")),
    "FR-600": (("ST-P40", "6.4", "8"), ("ST-S20", "1.1", "12"), ("BO-M08", "24", "2.5")),
    "FR-900": (("ST-P40", "8.2", "8"), ("ST-S20", "1.6", "12"), ("BO-M08", "28", "2.5")),
    "CV-600": (("FR-600", "1", "0"), ("DU-037", "1", "0"), ("BE-600", "4.2", "3"), ("RO-400", "6", "0"), ("SE-M18", "2", "0"),
               ("ES-001", "1", "0")),
    "CV-900": (("FR-900", "1", "0"), ("DU-075", "1", "0"), ("BE-900", "4.2", "3"), ("RO-400", "6", "0"), ("SE-M18", "2", "0"),
               ("ES-001", "1", "0")),
    "RC-400": (("FR-600", "1", "0"), ("DR-050", "2", "0"), ("RO-400", "14", "0"), ("SE-LB2", "1", "0")),
}  # fmt: skip


class Buyer(NamedTuple):
    """A customer: name, legal name, country, currency, city, street, segment."""

    name: str
    legal: str
    country: str
    currency: str
    city: str
    street: str
    segment: str


_FOOD, _POST, _AUTO, _PHARMA, _TRADE = "Food", "Parcel", "Automotive", "Pharma", "Wholesale"
BUYERS = (
    Buyer("Brandgrube Backwaren", "Brandgrube Backwaren GmbH", "DE", "EUR", "01067 Dresden", "Ofengasse 4", _FOOD),
    Buyer("Nordlicht Paketdienst", "Nordlicht Paketdienst GmbH & Co. KG", "DE", "EUR", "24103 Kiel", "Am Speicher 17", _POST),
    Buyer("Hollerbusch Säfte", "Hollerbusch Säfte AG", "DE", "EUR", "88045 Friedrichshafen", "Kelterweg 2", _FOOD),
    Buyer("Weidentor Arzneimittel", "Weidentor Arzneimittel GmbH", "DE", "EUR", "60311 Frankfurt am Main", "Glashof 9", _PHARMA),
    Buyer("Spindelwerk Teile", "Spindelwerk Teile GmbH", "DE", "EUR", "38100 Braunschweig", "Drehergasse 21", _AUTO),
    Buyer("Sieben Brücken Großhandel", "Sieben Brücken Großhandel eG", "DE", "EUR", "50667 Köln", "Marktkai 7", _TRADE),
    Buyer("Atelier du Vallon", "Atelier du Vallon SARL", "FR", "EUR", "69002 Lyon", "12 quai des Tisserands", _TRADE),
    Buyer("Fromagerie des Trois Ponts", "Fromagerie des Trois Ponts SAS", "FR", "EUR", "25000 Besançon", "3 rue de la Source", _FOOD),
    Buyer("De Blauwe Kraan", "De Blauwe Kraan B.V.", "NL", "EUR", "3011 Rotterdam", "Havenkade 88", _POST),
    Buyer("Molino Sant'Elia", "Molino Sant'Elia S.r.l.", "IT", "EUR", "41121 Modena", "Via del Mulino 5", _FOOD),
    Buyer("Kiruna Packhus", "Kiruna Packhus AB", "SE", "EUR", "981 30 Kiruna", "Norrvägen 14", _POST),
    Buyer("Zielona Dolina", "Zielona Dolina Sp. z o.o.", "PL", "EUR", "50-001 Wrocław", "ul. Ogrodowa 31", _FOOD),
    Buyer("Harrow & Pell Logistics", "Harrow & Pell Logistics Ltd", "GB", "GBP", "Leeds LS1 4AP", "6 Tannery Row", _POST),
    Buyer("Tidewater Bakeries", "Tidewater Bakeries Ltd", "GB", "GBP", "Bristol BS1 6XN", "40 Quay Lane", _FOOD),
    Buyer("Copper Creek Foods", "Copper Creek Foods Inc.", "US", "USD", "Des Moines, IA 50309", "1200 Grain Avenue", _FOOD),
    Buyer("Lakeshore Fulfilment", "Lakeshore Fulfilment LLC", "US", "USD", "Erie, PA 16501", "77 Dock Street", _POST),
    Buyer("Red Mesa Components", "Red Mesa Components Inc.", "US", "USD", "Tucson, AZ 85701", "310 Foundry Road", _AUTO),
    Buyer("海澜包装机械", "苏州海澜包装机械有限公司", "CN", "CNY", "215000 苏州", "工业园区云帆路18号", _TRADE),
    Buyer("明川食品", "成都明川食品有限公司", "CN", "CNY", "610000 成都", "高新区禾丰大道66号", _FOOD),
    Buyer("北辰物流设备", "天津北辰物流设备有限公司", "CN", "CNY", "300400 天津", "北辰区星港路9号", _POST),
    Buyer("江晟汽车零部件", "武汉江晟汽车零部件有限公司", "CN", "CNY", "430000 武汉", "经济开发区江晟路128号", _AUTO),
    Buyer("云岭药业", "昆明云岭药业股份有限公司", "CN", "CNY", "650000 昆明", "呈贡区彩云南路300号", _PHARMA),
    Buyer("粤丰电商仓储", "广州粤丰电商仓储有限公司", "CN", "CNY", "510000 广州", "黄埔区开泰大道55号", _POST),
    Buyer("瓯江冷链", "温州瓯江冷链有限公司", "CN", "CNY", "325000 温州", "鹿城区望江东路201号", _FOOD),
    Buyer("泰禾自动化集成", "青岛泰禾自动化集成有限公司", "CN", "CNY", "266000 青岛", "崂山区松岭路77号", _AUTO),
    Buyer("长白参业", "长春长白参业有限公司", "CN", "CNY", "130000 长春", "净月区生态大街1500号", _PHARMA),
)  # fmt: skip

GIVEN = ("Lena", "Tomas", "Irene", "Pavel", "Greta", "Nils", "Odette", "Marco", "Hanna", "Ian", "Sofia", "Emil")
FAMILY = ("Quandt-Muster", "Beispiel", "Sample", "Exemple", "Esempio", "Voorbeeld", "Przyklad", "Example")
#: What people can do, and the services that ask for it.
SKILLS = {
    "Engineering": ("SV-ENG", "SV-RET"), "Commissioning": ("SV-INS", "SV-COM"), "Training": ("SV-TRN",),
    "Maintenance": ("SV-MNT",),
}  # fmt: skip
#: Who performs services: login, cost of an hour in EUR, level of each skill.
SERVICE_STAFF = (
    ("service", "58.00", {"Commissioning": 3, "Maintenance": 2, "Engineering": 1}),
    ("service2", "54.00", {"Engineering": 3, "Training": 2, "Commissioning": 2}),
    ("guwen", "41.00", {"Training": 3, "Maintenance": 3, "Commissioning": 2, "Engineering": 2}),
)

CHINESE_PEOPLE = ("陈示例", "林样例", "周范例", "吴示范", "郑样本", "孙例文")
POSITIONS = ("Purchasing", "Plant manager", "Maintenance", "Accounts payable")
CHINESE_POSITIONS = ("采购部", "生产经理", "设备部", "财务部")

SUPPLIERS = (
    ("Rollwerk Antriebe Beispiel GmbH", "DE", 12),
    ("Sensorhof Muster AG", "DE", 8),
    ("宁波样例传动有限公司", "CN", 35),
    ("Gummi & Band Beispiel KG", "DE", 10),
)

#: Both sell steel: name, country, lead time in days, price in percent of the usual cost.
STEEL_SUPPLIERS = (("Stahlhandel Muster GmbH", "DE", 9, 108), ("Metallhof Beispiel s.r.o.", "CZ", 16, 100))

COMMENTS = (
    "Customer asks for delivery before the weekend if at all possible.",
    "Layout drawing is agreed; please keep the outlet height of 850 mm.",
    "Unloading only until 15:00, there is no ramp.",
    "Please call before you come, the gate is narrow.",
    "They would like the training on the same day as the commissioning.",
)
CHINESE_COMMENTS = (
    "客户希望尽量在月底前到货。",
    "布局图已确认，出口高度保持850毫米。",
    "卸货时间为上午9点至下午4点，请提前联系。",
    "客户要求随货附中文说明书。",
)
FOLLOWUPS = (
    "Call about the open quotation",
    "Send the maintenance plan",
    "Ask whether the line runs well",
    "Agree the date of the training",
)
CHINESE_FOLLOWUPS = ("跟进报价", "发送保养计划", "回访设备运行情况", "确认培训日期")
REASONS = (
    "Scratches on the side plate",
    "Noise above 70 dB at full speed",
    "Label reader misses 1 of 50 codes",
    "Wrong colour of the covers",
)
CHINESE_REASONS = ("侧板有划痕", "满速运行噪音超过70分贝", "读码器漏读率偏高", "护罩颜色与约定不符")
CANCELLED = ("The customer's budget was stopped", "Lost to a cheaper offer", "The project was put off by a year")

#: Work centres: code, name, stations, from, to (hours of a working day).
CENTRES = (
    ("WELD", "Welding", 2, 6, 14), ("PAINT", "Painting", 1, 7, 15), ("ASSY", "Assembly", 3, 7, 15),
    ("TEST", "Test bay", 1, 8, 16),
)  # fmt: skip
#: What a product takes of them: work centre, hours for a line, hours for each unit.
ROUTING = {
    "CV-600": (("WELD", "1", "2.5"), ("PAINT", "0.5", "1"), ("ASSY", "0.5", "3")),
    "CV-900": (("WELD", "1", "3"), ("PAINT", "0.5", "1.5"), ("ASSY", "0.5", "3.5")),
    "RC-400": (("WELD", "1", "1.5"), ("ASSY", "0.5", "2")),
    "TR-090": (("WELD", "1", "4"), ("ASSY", "1", "5"), ("TEST", "0.5", "1")),
    "SO-012": (("WELD", "2", "12"), ("PAINT", "1", "4"), ("ASSY", "2", "24"), ("TEST", "1", "6")),
    "LI-150": (("WELD", "2", "8"), ("PAINT", "1", "3"), ("ASSY", "1", "14"), ("TEST", "1", "4")),
    "PK-220": (("ASSY", "2", "30"), ("TEST", "1", "8")),
}
#: Plan templates, of each kind one in either language: language, name, kind, steps (code, name, kind, days, weight, after).
PLAN_TEMPLATES = (
    (
        "en",
        "Conveyor and machine",
        "goods",
        (
            ("M1", "Drawings released", "work", 6, 1, ()),
            ("M2", "Material is there", "material", 12, 2, ("M1",)),
            ("M3", "Welded and painted", "work", 8, 3, ("M2",)),
            ("M4", "Assembled and tested", "work", 7, 3, ("M3",)),
            ("M5", "Delivered", "delivery", 4, 1, ("M4",)),
            ("M6", "Accepted", "acceptance", 7, 1, ("M5",)),
        ),
    ),
    (
        "en",
        "Service on site",
        "service",
        (
            ("S1", "Kick-off", "work", 2, 1, ()),
            ("S2", "Site prepared", "work", 6, 1, ("S1",)),
            ("S3", "Work done", "work", 10, 4, ("S2",)),
            ("S4", "Accepted", "acceptance", 4, 1, ("S3",)),
        ),
    ),
    (
        "zh-hans",
        "输送线与整机",
        "goods",
        (
            ("M1", "图纸确认", "work", 6, 1, ()),
            ("M2", "物料到齐", "material", 12, 2, ("M1",)),
            ("M3", "焊接喷涂", "work", 8, 3, ("M2",)),
            ("M4", "装配调试", "work", 7, 3, ("M3",)),
            ("M5", "发货", "delivery", 4, 1, ("M4",)),
            ("M6", "验收", "acceptance", 7, 1, ("M5",)),
        ),
    ),
    (
        "zh-hans",
        "现场服务",
        "service",
        (
            ("S1", "启动会", "work", 2, 1, ()),
            ("S2", "现场准备", "work", 6, 1, ("S1",)),
            ("S3", "现场施工", "work", 10, 4, ("S2",)),
            ("S4", "验收", "acceptance", 4, 1, ("S3",)),
        ),
    ),
)
#: Risks: category, probability, impact, and in English and Chinese what may happen, trigger, mitigation, contingency.
RISKS = (
    ("supply", 4, 4,
     ("Steel comes late", "The mill does not confirm the date", "Reserve a second mill", "Buy from stockholders"),
     ("钢材到货延误", "钢厂未确认交期", "预留第二家钢厂", "向现货商采购")),
    ("technical", 3, 4,
     ("The drive is too weak for the slope", "Test run below 0.3 m/s", "Trial with a full load", "Fit the 0.75 kW drive"),
     ("驱动功率不足以爬坡", "试运行低于 0.3 米/秒", "满载试验", "换装 0.75 千瓦驱动")),
    ("customer", 3, 3,
     ("The hall is not ready", "No photograph of the floor two weeks before", "Visit the site", "Store the goods here"),
     ("客户厂房未就绪", "交货前两周仍未收到地坪照片", "提前踏勘现场", "货物暂存我方仓库")),
    ("supply", 4, 5,
     ("The sorter's controller is discontinued", "The supplier announces it", "Order the last lot", "Port to the successor"),
     ("分拣机控制器停产", "供应商发布停产通知", "采购最后一批", "移植到新型号")),
    ("people", 2, 4,
     ("The only certified welder is ill", "A week without him", "Certify a second one", "Weld at the partner's"),
     ("唯一持证焊工请假", "缺勤一周", "培养第二名持证焊工", "委托合作厂焊接")),
    ("regulation", 2, 5,
     ("The safety fence is not enough", "The assessor's draft", "Ask the assessor early", "Light curtain in addition"),
     ("安全围栏不达标", "评估机构初稿意见", "提前咨询评估机构", "增设安全光幕")),
    ("weather", 1, 3,
     ("The ferry does not sail", "Storm warning", "A day in reserve", "By road around"),
     ("轮渡停航", "大风预警", "预留一天", "改走陆路")),
    ("finance", 2, 2,
     ("The exchange rate falls", "Below the rate of the offer by 3 %", "Fix the rate", "Invoice in euros"),
     ("汇率下跌", "低于报价汇率 3%", "锁定汇率", "改以欧元开票")),
    ("technical", 5, 2,
     ("The colour does not match the old line", "Sample compared on site", "Send a sample first", "Paint again"),
     ("颜色与旧线不一致", "现场比对色板", "先寄样板", "重新喷涂")),
)  # fmt: skip
