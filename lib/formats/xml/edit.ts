/**
 * Changing XML that libvirt wrote: every edit replaces exactly the characters it is about, so that whatever we do not
 * understand stays as it is, byte for byte.
 */
import { renderXml, type XmlNode } from "./build.ts";
import { child, escapeXml, parseXml, type XmlElement } from "./tree.ts";

/** A document under edit. Elements read from it are stale after the next edit: look them up again. */
export class XmlDocument {
  #source: string;
  #root: XmlElement | undefined;

  /** @throws {XmlError} when it is not well-formed */
  constructor(source: string) {
    this.#source = source;
    this.#root = parseXml(source);
  }

  /** The document's element, as it is now. */
  get root(): XmlElement {
    return this.#root ??= parseXml(this.#source);
  }

  /** The element under the root at this path of names, each the first of its name. */
  find(...path: string[]): XmlElement | undefined {
    let at: XmlElement | undefined = this.root;
    for (const name of path) at = child(at, name);
    return at;
  }

  /** The document's text, as it is now. */
  toString(): string {
    return this.#source;
  }

  /** The source of one element. */
  sourceOf({ from, to }: XmlElement): string {
    return this.#source.slice(from, to);
  }

  /** Sets an attribute, or removes it. */
  setAttribute(element: XmlElement, name: string, value: string | undefined): void {
    const tag = this.#source.slice(element.from, element.inner);
    // The blanks before it are counted afterwards: `\s+` would look at each run of them from each of its places.
    const found = new RegExp(`(?<=\\s)${name}\\s*=\\s*("[^"]*"|'[^']*')`).exec(tag);
    const text = value === undefined ? "" : ` ${name}='${escapeXml(value)}'`;
    if (found) {
      const at = element.from + found.index;
      return this.#splice(this.#blankBefore(at), at + found[0].length, text);
    }
    const end = this.#blankBefore(element.inner - (tag.endsWith("/>") ? 2 : 1));
    this.#splice(end, end, text);
  }

  /** Replaces all an element holds by a text. */
  setText(element: XmlElement, text: string): void {
    if (this.#isEmpty(element)) return this.#open(element, escapeXml(text));
    this.#splice(element.inner, element.closing, escapeXml(text));
  }

  /** Removes an element with the white space before it. */
  remove(element: XmlElement): void {
    this.#splice(this.#blankBefore(element.from), element.to, "");
  }

  /** Removes every element at this path of names. */
  removeAll(...path: string[]): void {
    for (let found = this.find(...path); found; found = this.find(...path)) this.remove(found);
  }

  /** Makes an element's part of this name what is given, or removes it. `parent` gives the element again after each edit. */
  setChild(parent: () => XmlElement, name: string, node: XmlNode | undefined): void {
    const old = child(parent(), name);
    if (old && node) this.replace(old, node);
    else if (old) this.remove(old);
    else if (node) this.append(parent(), node);
  }

  /** Puts another element in the place of one. */
  replace(element: XmlElement, node: XmlNode): void {
    this.#splice(element.from, element.to, renderXml(node, this.#indentOf(element)).trimStart());
  }

  /** Adds an element at the end of another. */
  append(parent: XmlElement, node: XmlNode): void {
    const indent = this.#indentOf(parent);
    const text = `\n${renderXml(node, `${indent}  `)}`;
    if (this.#isEmpty(parent)) return this.#open(parent, `${text}\n${indent}`);
    const at = this.#blankBefore(parent.closing);
    this.#splice(at, parent.closing, `${text}\n${indent}`);
  }

  /** Adds an element after another, in the same parent. */
  insertAfter(element: XmlElement, node: XmlNode): void {
    this.#splice(element.to, element.to, `\n${renderXml(node, this.#indentOf(element))}`);
  }

  /** Adds an element before another, in the same parent. */
  insertBefore(element: XmlElement, node: XmlNode): void {
    const indent = this.#indentOf(element);
    this.#splice(element.from, element.from, `${renderXml(node, indent).trimStart()}\n${indent}`);
  }

  #isEmpty(element: XmlElement): boolean {
    return element.inner === element.to;
  }

  /** Turns `<name/>` into `<name>inside</name>`. */
  #open(element: XmlElement, inside: string): void {
    const slash = this.#blankBefore(element.inner - 2);
    this.#splice(slash, element.to, `>${inside}</${element.name}>`);
  }

  #blankBefore(at: number): number {
    while (at > 0 && /\s/.test(this.#source[at - 1]!)) at--;
    return at;
  }

  /** The blanks the element's line begins with. */
  #indentOf(element: XmlElement): string {
    const line = this.#source.lastIndexOf("\n", element.from) + 1;
    return /^[ \t]*/.exec(this.#source.slice(line, element.from))![0];
  }

  #splice(from: number, to: number, text: string): void {
    this.#source = this.#source.slice(0, from) + text + this.#source.slice(to);
    this.#root = undefined;
  }
}
