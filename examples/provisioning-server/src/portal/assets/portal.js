// Copies and prints. Everything else works without this script, so buttons that need it stay hidden without it.
for (const button of document.querySelectorAll("[data-copy], [data-print]")) button.hidden = false;

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const lines = Array.from(source.children, (line) => line.textContent.trim());
  await navigator.clipboard.writeText(lines.length ? lines.join("\n") : source.textContent.trim());
  const label = button.querySelector("[data-label]");
  label.textContent = "Copied";
  label.setAttribute("role", "status");
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-print]");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else window.print();
});
