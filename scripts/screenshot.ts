/**
 * Takes the pictures of README and of the documentation again, from the demo.
 *
 *     deno task screenshot
 *     deno task screenshot alerts backups
 */
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { ownBrowser } from "../tests/testbed/chromium.ts";
import { startServer, type TestServer } from "../tests/testbed/server.ts";
import { delay } from "../tests/testbed/wait.ts";

/** A picture: its chapter, and what it shows. */
interface Picture {
  readonly name: string;
  /** Of the page. `{web-01}` stands for the id of that VM, `{backup}` for that of the first backup. */
  readonly path: string;
  readonly height?: number;
  readonly dark?: true;
  /** Milliseconds until live figures are there. */
  readonly wait?: number;
}

const PICTURES: readonly Picture[] = [
  { name: "vms", path: "/vms", dark: true, wait: 20_000, height: 760 },
  { name: "dashboard", path: "/", wait: 8000, height: 900 },
  { name: "access", path: "/settings/users" },
  { name: "projects", path: "/projects" },
  { name: "guest", path: "/vms/{web-01}/guest", height: 800 },
  { name: "snapshots", path: "/vms/{staging-web}/snapshots", height: 700 },
  { name: "templates", path: "/templates" },
  { name: "ova", path: "/vms/{erp-old}/export-ova" },
  { name: "import", path: "/vms/import-from" },
  { name: "domain-xml", path: "/vms/{web-01}/xml", height: 800 },
  { name: "host-devices", path: "/vms/{web-01}/hardware", height: 800 },
  { name: "limits", path: "/vms/{web-01}/network", height: 700 },
  { name: "disk-images", path: "/vms/{db-01}/disks", height: 700 },
  { name: "image-catalog", path: "/images" },
  { name: "bin", path: "/bin" },
  { name: "hosts", path: "/settings/hosts" },
  { name: "maintenance", path: "/maintenance" },
  { name: "networks", path: "/networks/topology", dark: true, height: 800 },
  { name: "console", path: "/vms/{git-01}/console", wait: 4000, height: 800 },
  { name: "backups", path: "/backups/{backup}", height: 800 },
  { name: "schedules", path: "/schedules" },
  { name: "monitoring", path: "/vms/{db-01}/monitoring?window=7d", dark: true, wait: 6000, height: 900 },
  { name: "alerts", path: "/alerts" },
  { name: "insights", path: "/insights?window=30d", height: 900, wait: 6000 },
  { name: "metrics", path: "/settings/metrics", height: 800 },
  { name: "mcp", path: "/settings/mcp" },
  { name: "rest", path: "/api/v1/reference", height: 800 },
];

const FOLDER = fileURLToPath(new URL("../docs/pictures/", import.meta.url));
const WIDTH = 1280, HEIGHT = 640, WAIT_MS = 3000;
/** Bytes of a picture, and of all of them, at most. */
const MOST_BYTES = 120_000, MOST_ALL = 2_000_000;
const QUALITY = 0.82;

/** Addresses with the ids of this demo. */
async function placesOf(server: TestServer): Promise<(path: string) => string> {
  const vms = await server.call("get_vms") as { readonly id: string; readonly name: string }[];
  const backups = await server.call("list_backups") as { readonly id: string; readonly name: string }[];
  const ids = new Map(vms.map(({ id, name }) => [name, id]));
  ids.set("backup", backups.find(({ name }) => name.startsWith("Production"))!.id);
  return (path) =>
    path.replace(/\{([^}]+)\}/g, (_whole, name: string) => {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`the demo has no ${name}`);
      return id;
    });
}

/** A PNG as WebP, which is a third of it: chromium packs it. */
async function webp(page: Page, png: Uint8Array): Promise<Uint8Array> {
  const packed = await page.evaluate(async ([source, quality]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${source}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", quality).split(",")[1]!;
  }, [png.toBase64(), QUALITY] as const);
  return Uint8Array.fromBase64(packed);
}

async function take(
  context: BrowserContext,
  url: string,
  { height = HEIGHT, wait = WAIT_MS, dark }: Picture,
) {
  const page = await context.newPage();
  await page.setViewportSize({ width: WIDTH, height });
  await page.emulateMedia({ colorScheme: dark === true ? "dark" : "light" });
  await page.goto(url);
  await delay(wait);
  const png = await page.screenshot();
  await page.close();
  return png;
}

if (import.meta.main) {
  const wanted = Deno.args.length === 0 ? PICTURES : PICTURES.filter(({ name }) => Deno.args.includes(name));
  await using server = await startServer({ demo: true });
  await using tester = await ownBrowser();
  const context = await tester.newContext();
  const press = await context.newPage(), at = await placesOf(server);
  await Deno.mkdir(FOLDER, { recursive: true });
  for (const picture of wanted) {
    const bytes = await webp(press, await take(context, server.url + at(picture.path), picture));
    if (bytes.length > MOST_BYTES) {
      throw new Error(`${picture.name} has ${bytes.length} bytes: show less of it`);
    }
    await Deno.writeFile(`${FOLDER}${picture.name}.webp`, bytes);
    console.log(`${picture.name}.webp: ${bytes.length} bytes`);
  }
  let all = 0;
  for await (const { name } of Deno.readDir(FOLDER)) all += (await Deno.stat(FOLDER + name)).size;
  if (all > MOST_ALL) throw new Error(`the pictures have ${all} bytes together, more than ${MOST_ALL}`);
}
