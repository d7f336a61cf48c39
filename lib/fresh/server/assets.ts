/** The browser's side of the app on disk: islands as they were bundled, and the files of `static/`. */
import { fileURLToPath as fromFileUrl } from "node:url";

/** One island's module and what it imports, as addresses on this server. */
export interface IslandChunk {
  readonly entry: string;
  readonly imports: readonly string[];
}

/** Content of `dist/islands.json`, which `scripts/islands.ts` writes. */
export interface IslandIndex {
  /** Changes whenever a file for the browser does. */
  readonly build: string;
  /** Address of the module that hydrates the islands. */
  readonly boot: string;
  readonly islands: Readonly<Record<string, IslandChunk>>;
  /** Files that have texts in them, in a folder next to the index. Missing: no file has. */
  readonly texts?: IslandTexts;
}

/** Files of the islands with names in the place of texts (`island_texts.ts`). */
export interface IslandTexts {
  readonly folder: string;
  readonly files: readonly string[];
}

export interface Assets extends IslandIndex {
  /** Folders that are searched for a file, in this order. */
  readonly folders: readonly string[];
  /** False in development, where files change under the same build id. */
  readonly packed: boolean;
}

/**
 * Finds the assets of the app whose manifest is at `url`, once.
 *
 * In the bundle (`main.js`, with `islands.json` and `static/` next to it) they are simply there. From source
 * (`fresh.gen.ts`) `scripts/islands.ts` bundles the islands first, when they changed since the last time.
 *
 * @param url The `import.meta.url` of `fresh.gen.ts`.
 */
export function assetsOf(url: string): () => Promise<Assets> {
  let found: Promise<Assets> | undefined;
  return () => found ??= url.endsWith(".ts") ? fromSource(url) : fromBundle(url);
}

async function fromBundle(url: string): Promise<Assets> {
  const index = await readIndex(new URL("./islands.json", url));
  return { ...index, folders: [fromFileUrl(new URL("./static", url))], packed: true };
}

async function fromSource(url: string): Promise<Assets> {
  const script = fromFileUrl(new URL("../../../scripts/islands.ts", import.meta.url));
  const app = fromFileUrl(new URL(".", url));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script, "--if-stale", `--app=${app}`],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`The islands could not be bundled:\n${new TextDecoder().decode(stderr)}`);
  const index = await readIndex(new URL("./dist/islands.json", url));
  const folders = ["./dist/static", "./static"].map((folder) => fromFileUrl(new URL(folder, url)));
  return { ...index, folders, packed: false };
}

async function readIndex(url: URL): Promise<IslandIndex> {
  const { texts, ...index } = JSON.parse(await Deno.readTextFile(url)) as IslandIndex;
  if (texts === undefined) return index;
  return { ...index, texts: { ...texts, folder: fromFileUrl(new URL(texts.folder, url)) } };
}
