/**
 * Shows the kit's parts in all their states, in both themes; or takes the pictures again that a test compares them with.
 *
 *     deno task design [--port=8123]
 *     deno task design --update
 */
import { dirname } from "node:path";
import { ownBrowser } from "../tests/testbed/chromium.ts";
import { DESIGN_PICTURES, keptAt, takePicture } from "./design/pictures.ts";
import { serveDesign } from "./design/serve.ts";
import { option } from "./project.ts";

async function update(): Promise<void> {
  await using server = serveDesign(0);
  await using tester = await ownBrowser();
  for (const picture of DESIGN_PICTURES) {
    const path = keptAt(picture);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, await takePicture(tester, server.url, picture));
    console.log(`${path} is written`);
  }
}

if (import.meta.main) {
  if (Deno.args.includes("--update")) await update();
  else {
    const { url } = serveDesign(Number(option("port") ?? 8123));
    console.log(`${url}/light and ${url}/dark`);
  }
}
