/** The catalogue of cloud images: data that a site may replace by its own. Pure. */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import builtin from "./catalog.json" with { type: "json" };
import { closed, oneOf } from "../contract/schema.ts";

/** A line of text without control characters. */
const line = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" });
const Url = Type.String({
  minLength: 8,
  maxLength: 2048,
  pattern: "^https?://[^\\s\\u0000-\\u001f\\u007f]+$",
});

/** One image of a catalogue. */
export const CatalogImage = closed({
  id: Type.String({ minLength: 1, maxLength: 64, pattern: "^[a-z0-9][a-z0-9._-]*$" }),
  name: line(100),
  arch: Type.String({ minLength: 1, maxLength: 32, pattern: "^[a-z0-9_]+$" }),
  url: Url,
  checksumUrl: Type.Optional(Url),
  sha256: Type.Optional(Type.String({ pattern: "^[0-9a-f]{64}$" })),
  format: oneOf(["qcow2", "raw"], { description: "what it is when it is unpacked" }),
  user: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z_][A-Za-z0-9._-]*$" })),
  osId: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$" })),
});
export type CatalogImage = Static<typeof CatalogImage>;

const Catalog = closed({ images: Type.Array(CatalogImage, { maxItems: 1000 }) });

/** A catalogue cannot be used: what is wrong, and where. */
export class CatalogError extends Error {
  override readonly name = "CatalogError";
}

/** Reads a catalogue. @throws {CatalogError} */
export function readCatalog(value: unknown): CatalogImage[] {
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
export const builtinCatalog = (): CatalogImage[] => readCatalog(builtin);
