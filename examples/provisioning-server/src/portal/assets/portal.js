// Makes pages quicker to use. Every essential form works without this script, so buttons that need it stay hidden
// without it.
const reveal = (root) => {
  for (const button of root.querySelectorAll("[data-copy], [data-print], [data-close], [data-all]")) button.hidden = false;
};
reveal(document);
document.addEventListener("htmx:after:swap", () => reveal(document));

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const lines = Array.from(source.children, (line) => line.textContent.trim());
  const text = source.value ?? (lines.length ? lines.join("\n") : source.textContent.trim());
  await navigator.clipboard.writeText(text);
  const label = button.querySelector("[data-label]");
  label.textContent = "Copied";
  label.setAttribute("role", "status");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print], [data-close]");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else if ("close" in button.dataset) button.closest(".toast").remove();
  else window.print();
});

// One box ticks all of a list.
document.addEventListener("change", (event) => {
  if (!("all" in event.target.dataset)) return;
  for (const box of event.target.form.querySelectorAll("tbody [type=checkbox]")) box.checked = event.target.checked;
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select");
  if (event.key === "/" && !isTyping) {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
  if (event.key === "Escape" && !isTyping) document.querySelector("[data-leave]")?.click();
});

// A combobox: the server answers with options while somebody types. Arrow keys and Enter, or a click, choose one.
const listOf = (field) => document.getElementById(field.getAttribute("aria-controls"));
const open = (field, isOpen) => {
  listOf(field).hidden = !isOpen;
  field.setAttribute("aria-expanded", isOpen);
  field.removeAttribute("aria-activedescendant");
};
const choose = (field, option) => {
  if (!option.dataset.value) return;
  field.value = option.dataset.value;
  open(field, false);
};
const mark = (field, option) => {
  for (const other of listOf(field).children) other.ariaSelected = other === option;
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};
document.addEventListener("htmx:after:swap", ({ target }) => {
  if (target.role === "combobox") open(target, document.activeElement === target && listOf(target).children.length > 0);
});
document.addEventListener("focusout", ({ target }) => target.role === "combobox" && open(target, false));
// The field keeps the focus while an option is clicked.
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest("[role=option]");
  if (!option) return;
  event.preventDefault();
  choose(document.querySelector(`[aria-controls="${option.parentElement.id}"]`), option);
});
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.role !== "combobox" || listOf(field).hidden) return;
  const options = [...listOf(field).querySelectorAll("[data-value]")];
  const at = options.findIndex((option) => option.ariaSelected === "true");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") open(field, false);
  else if (event.key === "Enter" && at >= 0) choose(field, options[at]);
  else if (step && options.length) mark(field, options.at((at < 0 && step < 0 ? 0 : at) + step) ?? options[0]);
  else return;
  event.preventDefault();
});

// The focus stays in a panel: what lies behind is inert, and the panel's title takes it first. A panel that has opened over its
// list gives it back to the link by which it was opened.
document.querySelector(".panel [data-focus]")?.focus();
let opener = document.querySelector("[data-opener]")?.dataset.opener;
document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (detail.ctx.target?.id !== "panel") return;
  const panel = document.getElementById("panel");
  // Whoever is not signed in any more is led to the sign-in.
  if (!panel) return location.reload();
  const title = panel.querySelector("[data-focus]");
  document.getElementById("shell").inert = Boolean(title);
  opener = title?.dataset.opener ?? opener;
  (title ?? document.getElementById(opener))?.focus();
});
// The way back to a list leads to a page that is loaded anew.
if (document.getElementById("panel")) history.replaceState({ ...history.state, htmx: true }, "");
document.querySelector("[role=tab][aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

// Settings that were changed and not saved are pointed out, and leaving asks.
const settings = document.querySelector("form[data-settings]");
let isDirty = settings?.dataset.settings === "changed";
settings?.addEventListener("input", () => {
  isDirty = true;
  for (const note of document.querySelectorAll("[data-unsaved]")) note.hidden = false;
});
settings?.addEventListener("submit", () => (isDirty = false));
window.addEventListener("beforeunload", (event) => {
  if (isDirty) event.preventDefault();
});

// A lost connection is said while it lasts.
const offline = document.getElementById("offline");
const say = (isLost) => {
  if (offline) offline.hidden = !isLost;
};
document.addEventListener("htmx:error", () => say(true));
document.addEventListener("htmx:after:request", () => say(false));
