// Selects with thousands of options ask the server while one types: data-autocomplete="<url>" on a select or input,
// with data-create="<url>" where a new one may be made from what was typed.
export function autocompletes(root, once) {
  once(root, "[data-autocomplete]", (element) => {
    const { autocomplete: url, create } = element.dataset;
    let confirmed = "";
    let answered = null; // the text that the server has answered last
    // Makes what is not there yet. The server may first ask whether it is not one of those it names (409).
    const make = async (text, done) => {
      try {
        const answer = await fetch(create, { method: "POST", body: new URLSearchParams({ text, confirmed: confirmed === text ? "1" : "" }), headers: { "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value } });
        const found = await answer.json();
        confirmed = answer.status === 409 ? text : "";
        say(answer.ok ? "" : found.message);
        done(answer.ok ? found : false);
      } catch { done(false); }
    };
    const say = (text) => {
      const id = `${element.id}-create`;
      const place = document.getElementById(id) || Object.assign(document.createElement("p"), { id, className: "small mb-2" });
      place.setAttribute("role", "status");
      place.textContent = text;
      if (!place.isConnected) select.wrapper.after(place);
    };
    const select = new window.TomSelect(element, {
      valueField: "value",
      labelField: "text",
      searchField: [],
      maxOptions: 20,
      preload: "focus",
      loadThrottle: 150,
      refreshThrottle: 0, // a delayed refresh opens the list again, and takes the focus from who has typed on
      // Nothing new is offered before the server has said what is there: Enter takes what is found.
      createFilter: (text) => text === answered,
      create: create ? (text, done) => make(text, done) : false,
      createOnBlur: false,
      plugins: element.multiple ? ["remove_button"] : [],
      load: async (query, done) => {
        try {
          const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}q=${encodeURIComponent(query)}`);
          const { results } = answer.ok ? await answer.json() : { results: [] };
          if (answer.ok) answered = query.trim();
          done(results);
        } catch { done([]); }
      },
      score: () => () => 1,
      render: {
        option_create: (item, escape) => `<div class="create">${escape(element.dataset.createLabel || "+")}: <strong>${escape(item.input)}</strong></div>`,
        option: (item, escape) => `<div>${escape(item.text)}${item.hint ? ` <small class="text-secondary">${escape(item.hint)}</small>` : ""}</div>`,
      },
    });
    // The field that is typed in carries the label now; the one behind it is for the form alone.
    element.setAttribute("aria-hidden", "true");
    const described = element.getAttribute("aria-describedby");
    if (described) select.control_input.setAttribute("aria-describedby", described);
    if (element.getAttribute("aria-invalid")) select.control_input.setAttribute("aria-invalid", "true");
    select.on("type", () => select.clearOptions());
  });
}
