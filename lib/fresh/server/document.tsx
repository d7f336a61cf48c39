/**
 * Renders a page to a whole HTML document: finds the islands on it, moves what is in `<Head>` into the head, and
 * adds the scripts for just the islands it found.
 *
 * Preact calls `options.__b` (its diff hook, stable under this mangled name) with every element before rendering
 * it. Rendering to a string is synchronous, so the page being rendered can be kept in one variable.
 */
import { Fragment, h, options, type VNode } from "preact";
import { useContext } from "preact/hooks";
import { jsxTemplate } from "preact/jsx-runtime";
import { renderToString } from "preact-render-to-string";
import type { Assets } from "./assets.ts";
import { HeadContext } from "../head.tsx";
import { IslandSet, islandWrapper } from "./islands.tsx";
import type { IslandComponent } from "./manifest.ts";
import { setBuildId } from "../runtime.ts";

/** The page being rendered. */
interface Rendering {
  readonly islands: IslandSet;
  /** Of the scripts and styles that the page's own code writes. */
  readonly nonce: string;
  /** Elements for the head, by what they replace each other by. */
  readonly head: Map<string, VNode>;
  /** Placeholder for head and scripts, which are known last; no page can contain it by accident. */
  readonly headMark: string;
  readonly scriptsMark: string;
  sawHtml: boolean;
}

let current: Rendering | null = null;
/** Elements the hook made itself. */
const made = new WeakSet<VNode>();

const HEAD_ELEMENTS = new Set(["title", "meta", "link", "script", "style", "base"]);
const hooks = options as { __b?: (vnode: VNode) => void };
const outer = hooks.__b;

hooks.__b = (vnode) => {
  if (current !== null && !made.has(vnode)) prepare(vnode, current);
  outer?.(vnode);
};

function prepare(vnode: VNode, page: Rendering): void {
  const { type } = vnode;
  if (typeof type === "function") {
    if (type !== Fragment) vnode.type = islandWrapper(vnode, page.islands, made) ?? type;
    return;
  }
  if (type === "script" || type === "style") vnode.props = Object.assign({ nonce: page.nonce }, vnode.props);
  if (type === "html") page.sawHtml = true;
  else if (type === "head") {
    const content = <>{vnode.props.children}{jsxTemplate([page.headMark])}</>;
    const children = <HeadContext.Provider value="document">{content}</HeadContext.Provider>;
    vnode.props = { ...vnode.props, children };
  } else if (type === "body") {
    vnode.props = { ...vnode.props, children: <>{vnode.props.children}{jsxTemplate([page.scriptsMark])}</> };
  } else if (HEAD_ELEMENTS.has(type)) {
    const key = headKey(vnode);
    (vnode as VNode).type = function HeadElement(props: object) {
      const place = useContext(HeadContext);
      const element = h<object>(type, props);
      made.add(element);
      if (place === null && key === "title") {
        throw new TypeError(
          "A <title> outside <head> needs a key: Fresh takes it for the page's, and swaps them",
        );
      }
      if (place === "page") page.head.set(key, element);
      const replaced = place === "document" && page.head.has(key);
      return place === "page" || replaced ? null : element;
    };
  }
}

/** Two head elements with the same key are the same thing said twice: the page's replaces the app's. */
function headKey(vnode: VNode): string {
  if (vnode.key !== null && vnode.key !== undefined) return `key:${vnode.key}`;
  if (vnode.type === "title") return "title";
  const attributes = Object.entries(vnode.props as Record<string, unknown>)
    .filter(([name]) => name !== "children" && !(vnode.type === "meta" && name === "content"))
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [vnode.type, ...attributes.sort()].join(" ");
}

/**
 * @param inner The page inside its layouts.
 * @param app The app around it, rendered after it, so that its head knows what the page put there.
 * @param nonce Of the scripts, for the content security policy; no page can contain it by accident.
 * @param onInner Called with the page's HTML before `app` is rendered.
 */
export function renderDocument(
  inner: VNode | null,
  app: VNode | null,
  onInner: (html: string) => void,
  islands: Readonly<Record<string, IslandComponent>>,
  assets: Assets,
  nonce: string,
): string {
  const page: Rendering = {
    islands: new IslandSet(islands),
    nonce,
    head: new Map(),
    headMark: `<!--head ${nonce}-->`,
    scriptsMark: `<!--scripts ${nonce}-->`,
    sawHtml: false,
  };
  setBuildId(assets.build);
  current = page;
  try {
    let html = inner === null ? "" : renderToString(inner);
    if (app !== null) {
      onInner(html);
      html = renderToString(app);
    }
    if (!page.sawHtml) {
      html = renderToString(
        <html>
          <head>
            <meta charset="utf-8" />
          </head>
          <body>{jsxTemplate([html])}</body>
        </html>,
      );
    }
    current = null; // what follows is the framework's own
    const head = renderToString(<>{[...page.head.values()]}{page.islands.preloads(assets)}</>);
    const scripts = renderToString(<>{page.islands.scripts(assets, nonce)}</>);
    // Functions, because in a replacement text `$` has a meaning
    return "<!DOCTYPE html>" +
      html.replace(page.headMark, () => head).replace(page.scriptsMark, () => scripts);
  } finally {
    current = null;
  }
}
