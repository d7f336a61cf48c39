/**
 * Relative paths of disk images. libvirt defines them, but its schemas call for absolute ones: a VM that has one
 * already must stay editable. Pure.
 */
import { XmlDocument } from "./edit.ts";
import type { XmlElement } from "./tree.ts";

const isRelative = ({ name, attributes: { file } }: XmlElement) =>
  name === "source" && file !== undefined && file !== "" && !file.startsWith("/");

function* within(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const each of element.children) yield* within(each);
}

/** The relative paths that an XML's sources name. @throws {XmlError} */
export function relativePaths(source: string): string[] {
  return [...within(new XmlDocument(source).root)].filter(isRelative).map(({ attributes }) =>
    attributes.file!
  );
}

/**
 * A copy for the schemas, in which the known relative paths are absolute. Its lines are those of the original.
 *
 * @throws {XmlError}
 */
export function withAbsolutePaths(source: string, known: readonly string[]): string {
  if (known.length === 0) return source;
  const document = new XmlDocument(source);
  const next = () =>
    within(document.root).find((each) => isRelative(each) && known.includes(each.attributes.file!));
  for (let found = next(); found; found = next()) {
    document.setAttribute(found, "file", `/${found.attributes.file}`);
  }
  return document.toString();
}
