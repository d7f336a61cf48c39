/**
 * Lets a library that writes inline styles work under `style-src 'self'`: what it writes goes the way the policy
 * allows, through the CSS object model. Nothing is loosened: only our own scripts can call this.
 */

/** A stylesheet of the document that looks like a `<style>` element to who writes its text. */
function styleLookalike(create: typeof document.createElement): HTMLElement {
  const sheet = new CSSStyleSheet();
  const element = create.call(document, "span");
  element.hidden = true;
  Object.defineProperty(element, "textContent", { set: (text: string) => sheet.replaceSync(text) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
    Element.prototype.remove.call(element);
  };
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return element;
}

/** Runs something in which `document.createElement("style")` gives a stylesheet the policy allows. */
export function withoutStyleElements(run: () => void): void {
  const create = document.createElement;
  document.createElement =
    ((name: string, options?: ElementCreationOptions) =>
      name === "style" ? styleLookalike(create) : create.call(document, name, options)) as typeof create;
  try {
    run();
  } finally {
    document.createElement = create;
  }
}

/** Makes `span.setAttribute("style", …)` do what it says, which the policy allows for `span.style` alone. */
export function styleSpansByObject(): void {
  const prototype = HTMLSpanElement.prototype;
  if (Object.hasOwn(prototype, "setAttribute")) return;
  prototype.setAttribute = function (name: string, value: string) {
    if (name === "style") this.style.cssText = value;
    else Element.prototype.setAttribute.call(this, name, value);
  };
}
