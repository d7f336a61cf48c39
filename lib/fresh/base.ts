/**
 * The path below which the app is served: pages, routes and islands write addresses as if there were none, and every
 * element gets them with it as it is rendered. Preact calls `options.__b` (its diff hook, stable under this mangled
 * name) with each element before rendering it. Other hooks run first: they may turn an element into a component that
 * makes it again (`<title>` in a head), and then the one it makes gets the path.
 */
import { options, type VNode } from "preact";

/** Attributes that hold addresses. */
const ADDRESSES = ["href", "src", "action", "formAction"] as const;

const hooks = options as { __b?: (vnode: VNode) => void };
/** Props that have the path: Preact passes the same ones on when it renders an element again. */
const done = new WeakSet<object>();

let base = "";
let isInstalled = false;
/** Rewrites the app's own addresses before it gets the path. */
let own: (address: string) => string = (address) => address;

// Fresh's boot module knows of no path: in the browser the document says it, to whichever island imports this first.
if (typeof document !== "undefined") setBasePath(document.documentElement.dataset.base ?? "");

/** A path of ours as it is reached; other addresses stay as they are. */
export function withBase(address: string): string {
  return /^\/(?!\/)/.test(address) ? base + own(address) : address;
}

/** The path, without a slash at its end; empty for none. In the browser: `data-base` of the document's element. */
export function currentBasePath(): string {
  return base;
}

/** Sets it, before anything is rendered. */
export function setBasePath(path: string): void {
  if (path !== "") install();
  base = path;
}

/** Sets what the app makes of its own addresses wherever they are drawn or asked for. Called once. */
export function useAddresses(make: (address: string) => string): void {
  own = make;
  install();
}

function install(): void {
  if (isInstalled) return;
  isInstalled = true;
  const outer = hooks.__b;
  hooks.__b = (vnode) => {
    outer?.(vnode);
    if (typeof vnode.type === "string" && !done.has(vnode.props)) addBase(vnode);
  };
}

function addBase(vnode: VNode): void {
  const props = vnode.props as Record<string, unknown>;
  done.add(props);
  for (const name of ADDRESSES) {
    const address = props[name];
    if (typeof address === "string") props[name] = withBase(address);
  }
}
