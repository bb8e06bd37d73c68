// A browser that a test drives: one command a line on standard input, one answer a line on standard output, both JSON.
//
//   { "do": "open", "javascript": true }     begin anew, without cookies and cache
//   { "do": "hold" }                         from now on, styles arrive once a page is read, and scripts once it is drawn
//   { "do": "cookie", "name": …, "value": …, "url": … }  keep a cookie of this server
//   { "do": "goto", "url": … }               open a page
//   { "do": "fill", "label": …, "text": … }  write into the field with this label
//   { "do": "tick", "label": … }             tick the box with this label
//   { "do": "upload", "label": …, "name": …, "text": … }  choose a file of this name and content in the field with this label
//   { "do": "choose", "label": …, "option": … }  choose an option of the list with this label
//   { "do": "type", "label": …, "text": … }  write into the field with this label, letter by letter
//   { "do": "key", "key": … }                press a key
//   { "do": "back" }                         go back to the page before
//   { "do": "press", "name": …, "within": selector }  press the button or follow the link with this name
//   { "do": "click", "of": selector }        click a part of the page that has no name, such as the head of a disclosure
//   { "do": "wait", "of": selector, "text": … }  wait until a part of the page says this
//   { "do": "count", "of": selector }        how many parts of the page there are
//   { "do": "text", "of": selector }         what a part of the page says
//   { "do": "clipboard" }                    what was copied last
//   { "do": "broken" }                       what pages have done since the beginning that no page may do
//   { "do": "resize", "width": … }           make the window so many pixels wide
//   { "do": "moved" }                        what has moved by itself since the page was opened, its live parts renewed once
//   { "do": "inspect", "name": … }           hold the page to what all pages promise; the answer lists what it breaks
//
// An answer is { "value": … } or { "error": … }. Where SCREENSHOTS names a folder, pages that are inspected are kept there.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const WIDTHS = [360, 1280];
const THEMES = ["light", "dark"];
const LONGEST_BYTES = 100_000;
const PATIENCE = 20_000;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-proxy-server", "--disable-dev-shm-usage"],
});

let context, page, broken, bytes, origin;

// Notes whatever a page does that no page may do.
async function watch() {
  broken = [];
  bytes = 0;
  page.on("console", (message) => {
    const where = message.location().url;
    const isStatus = message.text().startsWith("Failed to load resource: the server responded with a status of");
    if (!(isStatus && where === page.url())) broken.push(`console: ${message.text()} (${where})`);
  });
  page.on("pageerror", (error) => broken.push(`script: ${error.message}`));
  page.on("request", (request) => {
    origin ??= new URL(request.url()).origin;
    if (new URL(request.url()).origin !== origin) broken.push(`another origin: ${request.url()}`);
  });
  page.on("requestfailed", (request) => {
    // Whoever leaves a page no longer wants what it still loads.
    const { errorText } = request.failure();
    if (errorText !== "net::ERR_ABORTED") broken.push(`failed: ${request.url()} ${errorText}`);
  });
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  network.on("Network.loadingFinished", (loaded) => (bytes += loaded.encodedDataLength));
}

// Waits until the page that loads says yes, whether it draws anything yet or not. A page that is left has no say.
async function until(yes) {
  await page.waitForFunction(yes, undefined, { polling: 10 }).catch(() => {});
}

// A browser draws a page once its style is there, which on a slow machine may be before the whole page is. So a style waits until
// the page is read, and a script until it is drawn: what the script moves is then seen to move.
async function hold() {
  const isRead = () => document.readyState !== "loading";
  const isDrawn = () => performance.getEntriesByType("paint").length > 0;
  const after = (yes) => async (route) => {
    await until(yes);
    await route.continue().catch(() => {});
  };
  await page.route("**/*.css", after(isRead));
  await page.route("**/*.js", after(isDrawn));
}

async function settle() {
  await page.waitForLoadState("load");
}

// Has every live part of the page ask for itself once, and waits until all are answered.
async function renew() {
  await page.evaluate(async () => {
    const parts = globalThis.htmx ? [...document.querySelectorAll("[hx-trigger^=every]")] : [];
    let open = parts.length;
    const answered = new Promise((done) => {
      // A part that was replaced is told of by the document.
      document.addEventListener("htmx:finally:request", () => (open -= 1) || done());
    });
    for (const part of parts) part.dispatchEvent(new CustomEvent("every"));
    if (parts.length) await Promise.race([answered, new Promise((next) => setTimeout(next, 5_000))]);
  });
}

// Lists the parts of the page that have moved by themselves, which nobody had asked for by a key or a click.
async function moved() {
  await renew();
  return page.evaluate(async () => {
    const found = [];
    const told = (node) => node?.outerHTML?.match(/^<[^>]*>/)?.[0] ?? node?.textContent ?? "a part that is gone";
    const place = ({ x, y, width, height }) => `${x} ${y} (${width} x ${height})`;
    const way = ({ node, previousRect, currentRect }) => `${told(node)} from ${place(previousRect)} to ${place(currentRect)}`;
    const note = (entries) => {
      for (const { value, hadRecentInput, sources } of entries) {
        if (!hadRecentInput) found.push(`moved by ${value.toFixed(4)}: ${sources.map(way).join(", ")}`);
      }
    };
    const observer = new PerformanceObserver((list) => note(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    for (let frames = 0; frames < 3; frames += 1) await frame();
    note(observer.takeRecords());
    observer.disconnect();
    return found;
  });
}

async function inspect({ name }) {
  const found = broken.splice(0);
  if (bytes > LONGEST_BYTES) found.push(`${bytes} bytes were loaded`);
  found.push(...(await moved()));
  const headings = await page.locator("h1").count();
  if (headings !== 1) found.push(`${headings} main headings`);
  await page.evaluate(axe);
  for (const colorScheme of THEMES) {
    for (const width of WIDTHS) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 800 });
      const at = `${colorScheme}, ${width} px`;
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) found.push(`${at}: ${wide} px too wide`);
      const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, help, nodes } of violations) {
        found.push(`${at}: ${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
      }
      if (process.env.SCREENSHOTS) {
        const path = join(process.env.SCREENSHOTS, `${name}-${colorScheme}-${width}.png`);
        await page.screenshot({ path, fullPage: true });
      }
    }
  }
  return found.concat(broken.splice(0));
}

const commands = {
  async open({ javascript }) {
    await context?.close();
    const permissions = ["clipboard-read", "clipboard-write"];
    context = await browser.newContext({ javaScriptEnabled: javascript, permissions });
    context.setDefaultTimeout(PATIENCE);
    page = await context.newPage();
    await watch();
  },
  hold,
  async cookie({ name, value, url }) {
    await context.addCookies([{ name, value, url }]);
  },
  async goto({ url }) {
    await page.goto(url);
  },
  async fill({ label, text }) {
    await page.getByLabel(label, { exact: true }).fill(text);
  },
  async tick({ label }) {
    await page.getByLabel(label, { exact: true }).check();
  },
  async upload({ label, name, text }) {
    const file = { name, mimeType: "application/octet-stream", buffer: Buffer.from(text, "latin1") };
    await page.getByLabel(label, { exact: true }).setInputFiles(file);
  },
  async choose({ label, option }) {
    await page.getByLabel(label, { exact: true }).selectOption({ label: option });
  },
  async type({ label, text }) {
    await page.getByLabel(label, { exact: true }).pressSequentially(text);
  },
  async key({ key }) {
    await page.keyboard.press(key);
    await settle();
  },
  async back() {
    await page.goBack();
  },
  async press({ name, within }) {
    const named = { name, exact: true };
    const part = within ? page.locator(within).first() : page;
    await part.getByRole("button", named).or(part.getByRole("link", named)).first().click();
    await settle();
  },
  async click({ of }) {
    await page.locator(of).first().click();
  },
  async wait({ of, text }) {
    await page.locator(of, { hasText: text }).first().waitFor();
  },
  async count({ of }) {
    return page.locator(of).count();
  },
  async text({ of }) {
    return page.locator(of).first().innerText();
  },
  async url() {
    return page.url();
  },
  async clipboard() {
    return page.evaluate(() => navigator.clipboard.readText());
  },
  async broken() {
    return broken.splice(0);
  },
  async resize({ width }) {
    await page.setViewportSize({ width, height: 800 });
  },
  moved,
  inspect,
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[command.do](command)) ?? null };
  } catch (error) {
    answer = { error: `${error.message}\non ${page?.url()}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
