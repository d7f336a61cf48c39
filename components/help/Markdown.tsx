import { type ComponentChildren, createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Token, Tokens } from "marked";
import type { PictureSize } from "../../lib/formats/webp.ts";
import { anchorOf, linkIn, pictureIn, pictureName, textOfToken } from "../../lib/help/text.ts";

/** Sizes of pictures by their names: the browser keeps their place free. */
const Sizes = createContext<ReadonlyMap<string, PictureSize>>(new Map());

/** Text as it is: entities and escapes stand in no file of the documentation. */
const textOf = (token: Token) => ("text" in token ? String(token.text) : "");

/** A list item that holds a line alone is no paragraph. */
const within = (tokens: readonly Token[] | undefined) => tokens?.map((each, n) => <Part key={n} of={each} />);

function Link({ of }: { of: Tokens.Link }) {
  const href = linkIn(of.href);
  if (href === null) return <>{within(of.tokens)}</>;
  return href.startsWith("http")
    ? <a href={href} rel="noreferrer noopener" target="_blank">{within(of.tokens)}</a>
    : <a href={href}>{within(of.tokens)}</a>;
}

function Heading({ of }: { of: Tokens.Heading }) {
  const anchor = anchorOf(textOfToken(of)), Level = of.depth <= 2 ? "h2" : of.depth === 3 ? "h3" : "h4";
  return (
    <Level id={anchor}>
      <a href={`#${anchor}`}>{within(of.tokens)}</a>
    </Level>
  );
}

function Table({ of }: { of: Tokens.Table }) {
  return (
    <div class="help-table" tabIndex={0}>
      <table>
        <thead>
          <tr>{of.header.map(({ tokens }, n) => <th key={n} scope="col">{within(tokens)}</th>)}</tr>
        </thead>
        <tbody>
          {of.rows.map((row, n) => (
            <tr key={n}>{row.map(({ tokens }, column) => <td key={column}>{within(tokens)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function List({ of }: { of: Tokens.List }) {
  const items = of.items.map((item, n) => <li key={n}>{within(item.tokens)}</li>);
  return of.ordered ? <ol start={of.start || 1}>{items}</ol> : <ul>{items}</ul>;
}

/** A picture of the product; the words of one that is not its own. */
function Picture({ of }: { of: Tokens.Image }) {
  const src = pictureIn(of.href);
  const size = useContext(Sizes).get(pictureName(of.href) ?? "");
  return src === null
    ? <>{of.text}</>
    : <img class="help-picture" src={src} alt={of.text} loading="lazy" {...size} />;
}

/** A piece of Markdown, with what is in it. */
function Part({ of }: { of: Token }): ComponentChildren {
  switch (of.type) {
    case "heading":
      return <Heading of={of as Tokens.Heading} />;
    case "paragraph":
      return <p>{within((of as Tokens.Paragraph).tokens)}</p>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{textOf(of)}</code>
        </pre>
      );
    case "codespan":
      return <code>{textOf(of)}</code>;
    case "table":
      return <Table of={of as Tokens.Table} />;
    case "list":
      return <List of={of as Tokens.List} />;
    case "link":
      return <Link of={of as Tokens.Link} />;
    case "image":
      return <Picture of={of as Tokens.Image} />;
    case "strong":
      return <strong>{within((of as Tokens.Strong).tokens)}</strong>;
    case "em":
      return <em>{within((of as Tokens.Em).tokens)}</em>;
    case "text":
      return "tokens" in of && of.tokens !== undefined ? <>{within(of.tokens)}</> : textOf(of);
    default:
      return null;
  }
}

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  tokens: readonly Token[];
  /** Sizes of its pictures by their names. */
  sizes: ReadonlyMap<string, PictureSize>;
}

/** Markdown as its parser takes it apart. Nothing in it becomes HTML by itself. */
export const Markdown = ({ tokens, sizes }: MarkdownProps) => (
  <Sizes.Provider value={sizes}>{within(tokens)}</Sizes.Provider>
);
