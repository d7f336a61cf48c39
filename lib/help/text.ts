/** Chapters as they are read: what their Markdown holds, its headings, and what is found in it. Pure. */
import type { Token, Tokens } from "marked";
import { CHAPTERS, HELP } from "./chapters.ts";

/** Content below a heading. */
export interface HelpSection {
  /** Part of its address; empty for what comes before the first heading but the chapter's own. */
  readonly anchor: string;
  readonly title: string;
  /** All its words, for the search. */
  readonly text: string;
}

/** A file of the documentation. */
export interface Chapter {
  readonly name: string;
  readonly title: string;
  readonly tokens: readonly Token[];
  readonly sections: readonly HelpSection[];
}

/** Kinds of Markdown that the documentation uses: others are not drawn, and a test finds them. */
export const DRAWN = [
  ...["heading", "paragraph", "text", "space", "code", "codespan", "table", "list", "list_item"],
  ...["link", "strong", "em", "image"],
] as const;

/** Part of an address that leads to a heading, as code hosts make it: links of the files hold there as well. */
export const anchorOf = (title: string): string =>
  title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-");

const childrenOf = (token: Token): readonly Token[] => {
  if (token.type === "list") return (token as Tokens.List).items;
  if (token.type === "table") {
    const { header, rows } = token as Tokens.Table;
    return [...header, ...rows.flat()].flatMap(({ tokens }) => tokens);
  }
  return "tokens" in token ? token.tokens ?? [] : [];
};

/** The words of something. */
export function textOfToken(token: Token): string {
  const children = childrenOf(token);
  if (children.length > 0) return children.map(textOfToken).join(token.type === "table" ? " · " : "");
  return "text" in token && typeof token.text === "string" ? token.text : " ";
}

/** @param tokens of a file of `docs/`, which begins with its title */
export function chapterOf(name: string, tokens: readonly Token[]): Chapter {
  const [first, ...rest] = tokens, title = first === undefined ? name : textOfToken(first);
  const sections: { anchor: string; title: string; parts: string[] }[] = [{ anchor: "", title, parts: [] }];
  for (const token of rest) {
    if (token.type === "heading") {
      const heading = textOfToken(token);
      sections.push({ anchor: anchorOf(heading), title: heading, parts: [] });
    } else sections.at(-1)!.parts.push(textOfToken(token));
  }
  return {
    name,
    title,
    tokens: rest,
    sections: sections.map(({ parts, ...rest }) => ({
      ...rest,
      text: parts.join(" ").replaceAll(/\s+/g, " ").trim(),
    })),
  };
}

/** Address in the product for a link of a file; null if its target is not in it. */
export function linkIn(href: string): string | null {
  if (/^https?:/.test(href) || href.startsWith("#")) return href;
  const [, name = "", anchor = ""] = /^(?:docs\/)?([a-z-]+)\.md(#.*)?$/.exec(href) ?? [];
  return CHAPTERS.includes(name) ? `${HELP}/${name}${anchor}` : null;
}

/** Something that was found. */
export interface HelpResult {
  readonly href: string;
  readonly chapter: string;
  readonly title: string;
  /** The words around the first one. */
  readonly around: string;
}

/** Most that is found at once, and letters shown around a word. */
const MOST = 40, AROUND = 160;

function aroundOf(text: string, word: string): string {
  const at = text.toLowerCase().indexOf(word);
  const from = Math.max(0, Math.max(at, 0) - AROUND / 2);
  const part = text.slice(from, from + AROUND);
  return `${from > 0 ? "…" : ""}${part.trim()}${from + AROUND < text.length ? "…" : ""}`;
}

/** Sections with every word of a question, those with a word in their title first. */
export function searchChapters(chapters: readonly Chapter[], question: string): HelpResult[] {
  const words = question.toLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [];
  const found = chapters.flatMap((chapter) =>
    chapter.sections.flatMap((section) => {
      const title = section.anchor === "" ? chapter.title : `${chapter.title} ${section.title}`;
      const heading = title.toLowerCase(), all = `${heading} ${section.text.toLowerCase()}`;
      if (!words.every((word) => all.includes(word))) return [];
      return [{
        rank: words.filter((word) => heading.includes(word)).length,
        href: `${HELP}/${chapter.name}${section.anchor === "" ? "" : `#${section.anchor}`}`,
        chapter: chapter.title,
        title: section.title,
        around: aroundOf(section.text, words[0]!),
      }];
    })
  );
  return found.sort((a, b) => b.rank - a.rank).slice(0, MOST).map(({ rank: _rank, ...each }) => each);
}

/** The name of a picture of the documentation that a link leads to; null for one that is not its own. */
export const pictureName = (href: string): string | null =>
  /^pictures\/([a-z][a-z-]{0,40}\.webp)$/.exec(href)?.[1] ?? null;

/** The names of the pictures in a text. */
export const picturesOf = (tokens: readonly Token[]): string[] =>
  tokens.flatMap((token) => {
    const name = token.type === "image" ? pictureName((token as Tokens.Image).href) : null;
    return name === null ? picturesOf(childrenOf(token)) : [name];
  });

/** Address of a picture that the documentation names; null for one that is not its own. */
export function pictureIn(href: string): string | null {
  const name = pictureName(href);
  return name === null ? null : `${HELP}/pictures/${name}`;
}
