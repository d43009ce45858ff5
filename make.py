#!/usr/bin/env python3
"""The targets of the Makefile, in nothing but Python's own library: `python3 make.py <target> [arguments]`."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SYSTEM = VENV / "system"  # libraries unpacked here where nobody may install packages
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
LINTED_TEMPLATES = "templates"
TARGETS: dict[str, Callable[[list[str]], int]] = {}


def target(function: Callable[[list[str]], int]) -> Callable[[list[str]], int]:
    TARGETS[function.__name__.replace("_", "-")] = function
    return function


def say(text: str) -> None:
    print(text, flush=True)


def run_(*command: str | Path, **extra: str) -> int:
    """Runs a command at the top of the checkout with the environment of the set-up; returns its exit code."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, env=environment(**extra), check=False).returncode


def must(*command: str | Path, **extra: str) -> None:
    if code := run_(*command, **extra):
        sys.exit(f"\nThis failed (exit code {code}): {' '.join(str(word) for word in command)}")


def environment(**extra: str) -> dict[str, str]:
    """What every command of ours sees: our own programs first, our own libraries where they had to be unpacked."""
    env = {**os.environ, **extra}
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    if SYSTEM.is_dir():
        folders = [str(path) for path in sorted(SYSTEM.glob("usr/lib/*-linux-gnu*"))]
        env["LD_LIBRARY_PATH"] = os.pathsep.join([*folders, *filter(None, [env.get("LD_LIBRARY_PATH", "")])])
    return env


# --- set-up ----------------------------------------------------------------------------------------------------


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class Stamp:
    """Remembers in the environment's folder what a step was last done for."""

    def __init__(self, name: str, *parts: object) -> None:
        self.path, self.value = VENV / f".stamp-{name}", digest(*parts)

    def fresh(self) -> bool:
        return self.path.exists() and self.path.read_text() == self.value

    def write(self) -> None:
        self.path.write_text(self.value)


def set_up(development: bool = False) -> None:
    """Brings `.venv`, libraries, scripts and styles up to date; does nothing where nothing changed."""
    make_environment()
    install("requirements-dev.txt" if development else "requirements.txt")
    system_libraries(development)
    if not shutil.which("npm", path=environment()["PATH"]):
        install("requirements-assets.txt")
    prepare()


def make_environment() -> None:
    if PYTHON.exists():
        return
    base = interpreter()
    say(f"Making the environment .venv with {base}")
    if Path(base).resolve() == Path(sys.executable).resolve() and has_ensurepip():
        venv.create(VENV, with_pip=True, symlinks=True)
        return
    if not has_ensurepip():
        apt_install(["python3-venv"])
    if subprocess.run([base, "-m", "venv", str(VENV)], check=False).returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("Python can't make environments here. Run: apt-get install python3-venv")


def has_ensurepip() -> bool:
    return (
        subprocess.run([sys.executable, "-c", "import ensurepip"], stderr=subprocess.DEVNULL, check=False).returncode
        == 0
    )


def interpreter() -> str:
    """A Python that the locked packages are made for: 3.11, else a newer one."""
    version = tuple(int(part) for part in platform.python_version_tuple()[:2])
    if version == (3, 11):
        return sys.executable
    if found := shutil.which("python3.11"):
        return found
    if version >= (3, 12):
        return sys.executable
    sys.exit("ordermgmt needs Python 3.11. Run: apt-get install python3.11 python3.11-venv")


def install(lock: str) -> None:
    stamp = Stamp(lock, (ROOT / lock).read_bytes(), os.readlink(PYTHON) if PYTHON.is_symlink() else "")
    if stamp.fresh() or (
        lock == "requirements.txt" and Stamp("requirements-dev.txt").path.exists() and dev_covers(stamp)
    ):
        return
    say(f"Installing {lock}")
    pip = (PYTHON, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check", "--require-hashes")
    must(*pip, "-r", ROOT / lock)
    stamp.write()


def dev_covers(stamp: Stamp) -> bool:
    """The development lock holds everything of the other one, so one install is enough."""
    dev = Stamp(
        "requirements-dev.txt",
        (ROOT / "requirements-dev.txt").read_bytes(),
        os.readlink(PYTHON) if PYTHON.is_symlink() else "",
    )
    if dev.fresh():
        stamp.write()
    return dev.fresh()


def system_libraries(development: bool) -> None:
    wanted = [package for library, package in LIBRARIES.items() if not loads(library)]
    if wanted:
        say(f"Installing for PDFs: {' '.join(wanted)}")
        if not apt_install(wanted) and not unpack(wanted):
            say(f"PDFs will not work until somebody runs: apt-get install {' '.join(wanted)}\nEverything else does.")
    if development and not any(map(shutil.which, CHROMIUM)) and not apt_install(["chromium"]):
        say("Browser tests are left out until somebody runs: apt-get install chromium")


def loads(library: str) -> bool:
    test = f"import ctypes; ctypes.CDLL({library!r})"
    return (
        subprocess.run([PYTHON, "-c", test], env=environment(), stderr=subprocess.DEVNULL, check=False).returncode == 0
    )


def apt_install(packages: list[str]) -> bool:
    """By apt, as root or through a sudo that asks for no password."""
    if not shutil.which("apt-get"):
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (
        not shutil.which("sudo") or subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode
    ):
        return False
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [*prefix, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    if (
        subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode
        == 0
    ):
        return True
    subprocess.run([*prefix, "apt-get", "update", "-qq"], env=quiet, check=False)
    return subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False).returncode == 0


def unpack(packages: list[str]) -> bool:
    """Without any right: downloads the packages and what they need, and unpacks them beside the environment."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return False
    plan = subprocess.run(
        ["apt-get", "install", "-s", "--no-install-recommends", *packages], capture_output=True, text=True, check=False
    )
    names = [line.split()[1] for line in plan.stdout.splitlines() if line.startswith("Inst ")]
    folder = VENV / "downloads"
    folder.mkdir(exist_ok=True)
    if not names or subprocess.run(["apt-get", "download", "-qq", *names], cwd=folder, check=False).returncode:
        return False
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(SYSTEM)], check=True)
    shutil.rmtree(folder)
    return all(loads(library) for library in LIBRARIES)


def sources() -> Iterator[tuple[str, int, int]]:
    """What scripts, styles, icons and catalogues are made from: names, times and sizes."""
    apps = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))
    for folder in ("templates", "static", "ordermgmt", *apps):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".html", ".js", ".css", ".svg", ".py", ".po"} and "vendor" not in path.parts:
                state = path.stat()
                yield str(path.relative_to(ROOT)), state.st_mtime_ns, state.st_size


def prepare() -> None:
    """Scripts and styles of others, icons, compiled catalogues, static files under hashed names."""
    stamp = Stamp("prepare", (ROOT / "package-lock.json").read_bytes(), list(sources()), os.environ.get("VAR_DIR"))
    if stamp.fresh() and (ROOT / "static" / "vendor").is_dir():
        return
    say("Preparing scripts, styles and translations")
    must(PYTHON, "manage.py", "assets")
    must(PYTHON, "manage.py", "catalogue", "--compile")
    must(PYTHON, "manage.py", "collectstatic", "--noinput", "-v0")
    stamp.write()


# --- targets ---------------------------------------------------------------------------------------------------


@target
def help_(_arguments: list[str]) -> int:
    """this list"""
    width = max(map(len, TARGETS))
    for name, function in TARGETS.items():
        say(f"  {name.strip('-'):{width}}  {function.__doc__}")
    return 0


@target
def setup(_arguments: list[str]) -> int:
    """make .venv and everything else that is needed to run and to test"""
    set_up(development=True)
    return 0


@target
def run(arguments: list[str]) -> int:
    """set up what is missing and serve a demo company at http://localhost:PORT (default 8000)"""
    set_up()
    os.chdir(ROOT)
    env = environment(DEMO=os.environ.get("DEMO", "true"), LOG_FORMAT=os.environ.get("LOG_FORMAT", "console"))
    os.execve(PYTHON, [str(PYTHON), "manage.py", "serve", "--prepare", *arguments], env)  # noqa: S606


@target
def manage(arguments: list[str]) -> int:
    """manage.py with the set-up's libraries, e.g. python3 make.py manage doctor"""
    set_up()
    return run_(PYTHON, "manage.py", *arguments)


@target
def test(arguments: list[str]) -> int:
    """the tests that need no other service, on SQLite (or on TEST_DATABASE_URL and TEST_REDIS_URL)"""
    set_up(development=True)
    return pytest(arguments)


def pytest(arguments: list[str], **extra: str) -> int:
    workers = os.environ.get("TEST_WORKERS", str(max(2, min(os.cpu_count() or 2, 4))))
    command: list[str | Path] = [PYTHON, "-m", "pytest", "--dist", "loadgroup", *arguments]
    if not run_(*command, "-n", workers, **extra):
        return 0
    few = failed_last()
    if not os.environ.get("SECOND_CHANCE") or not 0 < len(few) <= 5:
        return 1
    say("\nONCE MORE, ALONE, because a loaded machine may have been the cause:\n  " + "\n  ".join(few))
    code = run_(*command, "-n", "1", "--last-failed", **extra)
    say(f"{'FAILED TWICE' if code else 'PASSED ONLY AT THE SECOND TRY, look into it'}:\n  " + "\n  ".join(few))
    return code


def failed_last() -> list[str]:
    """The tests that failed in the last run; none where it broke off before it ran any."""
    kept = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
    return sorted(json.loads(kept.read_text())) if kept.exists() else []


@target
def test_all(arguments: list[str]) -> int:
    """the whole suite on PostgreSQL and Redis, started for it unless TEST_DATABASE_URL and TEST_REDIS_URL are given"""
    set_up(development=True)
    sys.path.insert(0, str(ROOT))
    from tests.services import services

    with services(install=apt_install) as addresses:
        say("\n".join(f"{name}={value}" for name, value in addresses.items()))
        return pytest(arguments, **addresses)


@target
def check(arguments: list[str]) -> int:
    """ruff, mypy, import-linter, templates, deployment, migrations, translations, audit of the dependencies"""
    set_up(development=True)
    production = {
        "SECRET_KEY": "".join(chr(33 + (7 * n) % 90) for n in range(64)),
        "SITE_URL": "https://orders.example.com",
        "ALLOWED_HOSTS": "orders.example.com",
        "DEBUG": "",
        "DEMO": "",
    }
    steps: dict[str, Callable[[], int]] = {
        "ruff": lambda: run_("ruff", "check", "."),
        "format": lambda: run_("ruff", "format", "--check", "."),
        "mypy": lambda: run_("mypy", "."),
        "floors": lambda: run_("lint-imports"),
        "templates": lambda: run_("djlint", LINTED_TEMPLATES, "--lint", "--quiet"),
        "deploy": lambda: run_(PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING", **production),
        "migrations": lambda: run_(PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"),
        "translations": lambda: run_(PYTHON, "manage.py", "catalogue", "--check"),
        "dependencies": lambda: run_("deptry", "."),
        "audit": audit,
    }
    failed = []
    for name, step in steps.items():
        if arguments and name not in arguments:
            continue
        say(f"— {name}")
        if step():
            failed.append(name)
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return bool(failed)


def audit() -> int:
    """Known faults of the locked packages; says so where no source of them can be reached."""
    command = [
        "pip-audit", "-r", "requirements.txt", "--require-hashes", "--disable-pip", "--timeout", "5", "-f", "json",
    ]  # fmt: skip
    try:
        done = subprocess.run(
            [str(VENV / "bin" / command[0]), *command[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        packages = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        say("not audited: no source of known faults could be reached")
        return 0
    faults = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", [])]
    say("\n".join(faults) or f"{len(packages)} packages, no known fault")
    return bool(faults)


@target
def fmt(_arguments: list[str]) -> int:
    """format the sources"""
    set_up(development=True)
    return run_("ruff", "check", "--fix", "-q", ".") + run_("ruff", "format", ".")


@target
def bench(arguments: list[str]) -> int:
    """times of pages and verbs against bare SQL (see bench/)"""
    set_up(development=True)
    return run_(PYTHON, "-m", "bench", *arguments)


@target
def lock(arguments: list[str]) -> int:
    """write the locked requirements anew (with hashes) from the .in files"""
    set_up(development=True)
    if not shutil.which("uv", path=environment()["PATH"]):
        must(PYTHON, "-m", "pip", "install", "-q", "uv")
    for name in ("requirements", "requirements-dev", "requirements-assets"):
        must(
            "uv", "pip", "compile", "--generate-hashes", "-q", "--no-emit-index-url", "--python-version", "3.11",
            *arguments, f"{name}.in", "-o", f"{name}.txt",
        )  # fmt: skip
    return 0


def main() -> int:
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    function = TARGETS.get("help-" if name == "help" else name)
    if function is None:
        say(f"There is no target {name!r}.")
        help_([])
        return 2
    try:
        return function(sys.argv[2:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
