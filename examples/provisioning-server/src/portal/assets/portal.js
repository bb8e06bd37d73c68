// Makes pages quicker to use. Every essential form works without this script, so buttons that need it stay hidden
// without it.
const reveal = (root) => {
  for (const button of root.querySelectorAll("[data-copy], [data-print], [data-close]")) button.hidden = false;
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

// The focus stays in a panel: what lies behind is inert, and the panel's title takes it first.
document.querySelector(".panel [data-focus]")?.focus();
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
