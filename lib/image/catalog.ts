/** The catalogue of cloud images: data that a site may replace by its own. Pure. */
import Type from "typebox";
import { Compile } from "typebox/compile";
import builtin from "./catalog.json" with { type: "json" };
import { CatalogImage } from "../contract/images.ts";
import { closed } from "../contract/schema.ts";

const Catalog = closed({ images: Type.Array(CatalogImage, { maxItems: 1000 }) });

/** A catalogue cannot be used: what is wrong, and where. */
export class CatalogError extends Error {
  override readonly name = "CatalogError";
}

/** Reads a catalogue. @throws {CatalogError} */
export function readImageCatalog(value: unknown): CatalogImage[] {
  const validator = Compile(Catalog);
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value);
    throw new CatalogError(`${first?.instancePath || "the file"} ${first?.message ?? "is not a catalogue"}`);
  }
  const seen = new Set<string>();
  for (const { id } of value.images) {
    if (seen.has(id)) throw new CatalogError(`the id ${id} is there twice`);
    seen.add(id);
  }
  return value.images;
}

/** The catalogue that comes with the program. */
export const builtinCatalog = (): CatalogImage[] => readImageCatalog(builtin);
