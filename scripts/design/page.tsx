/** The design page: the kit's examples in a document with the product's stylesheet. */
import { renderToString } from "preact-render-to-string";
import { EXAMPLES } from "./examples.tsx";

/** Styles of the page. Floating elements stand in their place here; nothing moves. */
const STYLES = `
.design { display: grid; gap: 20px; }
.design-states { display: flex; flex-wrap: wrap; gap: 12px 20px; align-items: end; margin-top: 8px; }
.design-states > div { display: grid; gap: 4px; min-width: 0; max-width: 100%; justify-items: start; }
.design-states.wide > div { width: 100%; justify-items: stretch; }
.design-states .load { width: 120px; }
.design :is(.menu:not([popover]), dialog) { display: block; position: static; margin: 0; }
`;

/** The page's HTML, in a theme. */
export function designPage(theme: "light" | "dark"): string {
  return "<!DOCTYPE html>" + renderToString(
    <html lang="en" data-theme={theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Design</title>
        <link rel="stylesheet" href="/styles/main.css" />
        <style>{STYLES}</style>
      </head>
      <body>
        <main>
          <h1>Design, {theme}</h1>
          <div class="design">
            {EXAMPLES.map(({ part, states, wide }) => (
              <section key={part}>
                <h2>{part}</h2>
                <div class={wide ? "design-states wide" : "design-states"}>
                  {Object.entries(states).map(([state, look]) => (
                    <div key={state}>
                      <small>{state}</small>
                      {look}
                    </div>
                  ))}
                </div>
              </section>
            ))}
          </div>
        </main>
      </body>
    </html>,
  );
}
