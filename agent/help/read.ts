/** Reads the documentation: the files of `docs/`, which the build puts into the bundle. */
import { copiedFile } from "../../lib/bundle.ts";
import { CHAPTERS } from "../../lib/help/chapters.ts";
import { type PictureSize, webpSize } from "../../lib/formats/webp.ts";
import { type Chapter, chapterOf, picturesOf } from "../../lib/help/text.ts";

const read = new Map<string, Promise<Chapter>>();

async function readOne(name: string): Promise<Chapter> {
  const [text, { lexer }] = await Promise.all([
    Deno.readTextFile(copiedFile(`docs/${name}.md`)),
    import("marked"), // loaded when somebody reads
  ]);
  return chapterOf(name, lexer(text));
}

/** A chapter, kept once it was read. @returns undefined where there is none of that name */
export function readChapter(name: string): Promise<Chapter> | undefined {
  if (!CHAPTERS.includes(name)) return undefined;
  let chapter = read.get(name);
  if (chapter === undefined) {
    chapter = readOne(name);
    read.set(name, chapter);
    // What could not be read is read again the next time
    chapter.catch(() => read.delete(name));
  }
  return chapter;
}

/** All of them, in order. */
export const readChapters = (): Promise<Chapter[]> => Promise.all(CHAPTERS.map((name) => readChapter(name)!));

/** Name of a picture of the documentation. */
const PICTURE = /^[a-z][a-z-]{0,40}\.webp$/;

/** A picture of the documentation; undefined where there is none of that name. */
export async function readPicture(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!PICTURE.test(name)) return undefined;
  try {
    return await Deno.readFile(copiedFile(`docs/pictures/${name}`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Sizes of pictures by their names, kept once a page has shown them: the files are as the build put them. */
const sizes = new Map<string, PictureSize>();

/** The sizes of a chapter's pictures by their names, so that text below a picture stands where it is before the picture comes. */
export async function pictureSizes(chapter: Chapter): Promise<ReadonlyMap<string, PictureSize>> {
  for (const name of picturesOf(chapter.tokens)) {
    const file = sizes.has(name) ? undefined : await readPicture(name);
    const size = file && webpSize(file);
    if (size) sizes.set(name, size);
  }
  return sizes;
}
