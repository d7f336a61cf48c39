/** Serves the design page, `/light` and `/dark`, with the product's styles and fonts. No part of the product. */
import { join } from "node:path";
import { PROJECT } from "../project.ts";
import { bundleStyles } from "../styles.ts";
import { designPage } from "./page.tsx";

const html = (text: string) => new Response(text, { headers: { "content-type": "text/html" } });

async function answer(path: string): Promise<Response> {
  if (path === "/light" || path === "/dark") return html(designPage(path === "/light" ? "light" : "dark"));
  if (path === "/styles/main.css") {
    const styles = await bundleStyles(join(PROJECT, "static/styles/main.css"));
    return new Response(styles, { headers: { "content-type": "text/css" } });
  }
  const font = /^\/fonts\/[\w-]+\.woff2$/.exec(path);
  if (font) return new Response(await Deno.readFile(join(PROJECT, "static", font[0])));
  return new Response(null, { status: 404 });
}

/** A server of the design page that ends when disposed of. @param port 0 for any that is free */
export function serveDesign(port: number): { readonly url: string } & AsyncDisposable {
  const server = Deno.serve(
    { port, hostname: "127.0.0.1", onListen: () => {} },
    (request) => answer(new URL(request.url).pathname),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
