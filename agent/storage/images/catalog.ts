/** The catalogue that holds here: the program's own, or the site's. */
import { isSystemError } from "../../machine/files.ts";
import { type CatalogImage, ContractError } from "../../../lib/contract/mod.ts";
import { builtinCatalog, CatalogError, readImageCatalog } from "../../../lib/image/catalog.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Stands for the catalogue that comes with the program. */
export const BUILTIN_IMAGES = "builtin";

export class SiteCatalog {
  /** @param place a file, or {@link BUILTIN_IMAGES} */
  constructor(readonly place: string) {}

  /** Its images. A site's file is read each time: a change of it needs no restart. @throws {ContractError} CatalogUnusable */
  async list(): Promise<CatalogImage[]> {
    if (this.place === BUILTIN_IMAGES) return builtinCatalog();
    const unusable = (why: Sentence, cause: unknown) =>
      new ContractError("CatalogUnusable", { reason: message`${this.place}: ${why}` }, { cause });
    let text: string;
    try {
      text = await Deno.readTextFile(this.place);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw unusable(error.message, error);
    }
    try {
      return readImageCatalog(parseJson(text));
    } catch (error) {
      if (error instanceof CatalogError || error instanceof SyntaxError) throw unusable(error.message, error);
      throw error;
    }
  }

  /** @throws {ContractError} CatalogImageNotFound, CatalogUnusable */
  async image(id: string): Promise<CatalogImage> {
    const found = (await this.list()).find((image) => image.id === id);
    if (found === undefined) throw new ContractError("CatalogImageNotFound", { id });
    return found;
  }
}
