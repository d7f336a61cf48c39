/**
 * The path below which the app is served (`basePath` of Fresh's app): pages, routes and islands write addresses as if
 * there were none, and every element gets them with it. Preact calls `options.vnode` with each element as it is made.
 */
import { options, type VNode } from "preact";

/** Attributes that hold addresses. */
const ADDRESSES = ["href", "src", "action", "formAction"] as const;

let base = "";
let isSuspended = false;
let isInstalled = false;

/** A path of ours as it is reached; other addresses stay as they are. */
export function withBase(address: string): string {
  return base !== "" && /^\/(?!\/)/.test(address) ? base + address : address;
}

/** The path, without a slash at its end; empty for none. */
export function basePath(): string {
  return base;
}

/** Sets it, before anything is rendered. */
export function setBasePath(path: string): void {
  if (path !== "" && !isInstalled) install();
  base = path;
}

/** Makes an element again whose addresses have their base already. */
export function asMade<T>(make: () => T): T {
  isSuspended = true;
  try {
    return make();
  } finally {
    isSuspended = false;
  }
}

function install(): void {
  isInstalled = true;
  const outer = options.vnode;
  options.vnode = (vnode) => {
    if (typeof vnode.type === "string" && !isSuspended) addBase(vnode);
    outer?.(vnode);
  };
}

function addBase(vnode: VNode): void {
  const props = vnode.props as Record<string, unknown>;
  for (const name of ADDRESSES) {
    const address = props[name];
    if (typeof address === "string") props[name] = withBase(address);
  }
}
