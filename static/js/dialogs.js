// Why a form was not taken, above it; what was typed stands.
export function refused(form, sentence) {
  const alert = form.querySelector("[data-refused]") || document.createElement("div");
  Object.assign(alert, { className: "alert alert-danger", tabIndex: -1, textContent: sentence });
  alert.setAttribute("role", "alert");
  alert.dataset.refused = "";
  form.prepend(alert);
  alert.focus();
}

// Actions in a dialog: a link with data-dialog opens its page's form here. Without this script it opens as a page.
export function dialogs(prepare) {
  const dialog = document.getElementById("action-dialog");
  if (!dialog) return;
  let opener = null;
  const show = (html, fallback) => {
    // A whole page (sign-in, no right, a fault) has no place in a dialog.
    if (/<html/i.test(html)) { window.location = fallback; return; }
    dialog.innerHTML = html;
    const title = dialog.querySelector(".card-title");
    if (title) { title.id = "action-dialog-title"; dialog.setAttribute("aria-labelledby", title.id); }
    if (!dialog.open) dialog.showModal();
    prepare(dialog);
    (dialog.querySelector("[data-focus], .is-invalid, input:not([type=hidden]), select, textarea") || dialog.querySelector("button[type=submit]:not([disabled]), a"))?.focus();
  };
  // A place on the page that is open already needs a reload to show what was done; a link with data-stay stays, and its page
  // shows it in its own way.
  const leave = (url) => {
    if (opener?.hasAttribute("data-stay")) {
      dialog.close();
      document.dispatchEvent(new CustomEvent("dialog-done"));
      return;
    }
    const target = new URL(url, window.location.href);
    const here = target.pathname === window.location.pathname && target.search === window.location.search;
    window.location = target.href;
    if (here && target.hash) window.location.reload();
  };
  // The link may stand in a menu that has closed meanwhile: then the menu's own button gets the focus.
  const giveBack = () => {
    const menu = opener?.closest(".dropdown-menu");
    (menu && !opener.checkVisibility() ? menu.parentElement.querySelector("[data-bs-toggle]") : opener)?.focus();
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = link;
    try {
      const answer = await fetch(link.href, { headers: { "X-Dialog": "1" } });
      show(await answer.text(), link.href); // of the sign-in page, too: then the link itself is followed
    } catch { window.location = link.href; }
  });
  dialog.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    event.preventDefault();
    const data = new FormData(form, event.submitter);
    for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Dialog": "1" } });
      if (answer.headers.get("X-Location")) leave(answer.headers.get("X-Location"));
      else if (answer.redirected) window.location = answer.url;
      else if (answer.status === 413) {
        refused(form, await answer.text());
        for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
      }
      else show(await answer.text(), form.action);
    } catch {
      // Nothing typed is lost: the form stands, and may be sent again.
      for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-dialog-close]")) { event.preventDefault(); dialog.close(); }
  });
  dialog.addEventListener("close", () => { dialog.replaceChildren(); giveBack(); });
}
