/**
 * Links, buttons and forms are drawn for who looks: what they may not use cannot be used, whichever component draws it. Preact
 * calls `options.vnode` with each element that is made.
 */
import { createContext, h, options, type VNode } from "preact";
import { useContext } from "preact/hooks";
import { t } from "../i18n/mod.ts";
import { basePath } from "../fresh/base.ts";
import { isOffered, mayOpen, maySend, type Offers, vmIdOf } from "./offers.ts";

/** For whom is drawn: what they are offered, and path and query of the page. */
export interface Looking {
  readonly offers: Offers;
  readonly page: string;
}

let looking: () => Looking | null = () => null;
/** An element is made that was judged already. */
let isJudged = false;

/** Where the form around a button is sent; empty outside of forms. */
const FormAddress = createContext("");

/** Says for whom is drawn. Called once by what serves pages, and in the browser. */
export function useLooking(source: () => Looking | null): void {
  looking = source;
}

/** What who looks is offered; null: everything. */
export const offersNow = (): Offers | null => looking()?.offers ?? null;

/** Whether a command is offered on a VM, or on any where none is named: for buttons that send no form. */
export function isOfferedNow(command: string, vmId?: string): boolean {
  const offers = offersNow();
  return offers === null || isOffered(offers, command, vmId);
}

/** Whether a page may be opened. @param address path and query */
export function mayOpenNow(address: string): boolean {
  const offers = offersNow();
  return offers === null || mayOpen(offers, address);
}

/** Path and query of an address of ours; null for others. */
function ownAddress(address: string): string | null {
  if (!/^\/(?!\/)/.test(address)) return address.startsWith("?") ? pageOf() + address : null;
  const base = basePath();
  return (base !== "" && address.startsWith(`${base}/`) ? address.slice(base.length) : address).replace(
    /#.*/s,
    "",
  );
}

const pageOf = () => (looking()?.page ?? "").replace(/\?.*/s, "");

function judgeLink(vnode: VNode<Record<string, unknown>>, { offers }: Looking): void {
  const { href } = vnode.props;
  const address = typeof href === "string" ? ownAddress(href) : null;
  if (address === null || mayOpen(offers, address)) return;
  const { href: _href, onClick: _onClick, ...others } = vnode.props;
  vnode.props = {
    ...others,
    role: others.role ?? "link",
    "aria-disabled": "true",
    title: t("offers.missing"),
  };
}

/** Whether a button may be pressed, in the form that is sent there. */
function mayPress(
  form: string,
  { formAction, name, value }: Record<string, unknown>,
  { offers, page }: Looking,
): boolean {
  if (name === "action" && typeof value === "string" && /^[a-z]+(?:_[a-z]+)+$/.test(value)) {
    return isOffered(offers, value, vmIdOf(form));
  }
  if (typeof formAction !== "string") return form === "" || maySend(offers, form);
  const address = ownAddress(formAction) ?? page;
  // A question is asked by a page, before it is sent.
  return address.includes("/confirm") && name === "action"
    ? mayOpen(offers, `${address}?action=${String(value)}`)
    : maySend(offers, address);
}

/** A button that sends a form, for who looks. */
function OfferedButton({ buttonRef, ...props }: Record<string, unknown>) {
  const form = useContext(FormAddress), now = looking();
  const given = now === null || mayPress(form, props, now)
    ? props
    : { ...props, disabled: true, title: t("offers.missing") };
  isJudged = true;
  try {
    return h("button", { ...given, ref: buttonRef as never });
  } finally {
    isJudged = false;
  }
}

function judgeForm(vnode: VNode<Record<string, unknown>>, { page }: Looking): void {
  const { action, method, children } = vnode.props;
  if (method !== "post") return;
  const value = typeof action === "string" && action !== "" ? ownAddress(action) ?? page : page;
  vnode.props = { ...vnode.props, children: h(FormAddress.Provider, { value, children: children as VNode }) };
}

const outer = options.vnode;
options.vnode = (vnode) => {
  outer?.(vnode);
  if (isJudged || typeof vnode.type !== "string") return;
  const now = looking();
  if (now === null) return;
  const element = vnode as VNode<Record<string, unknown>>;
  if (vnode.type === "a") judgeLink(element, now);
  else if (vnode.type === "form") judgeForm(element, now);
  else if (vnode.type === "button" && (element.props.type ?? "submit") === "submit") {
    element.props = { ...element.props, buttonRef: element.ref };
    element.ref = null as never;
    element.type = OfferedButton as never;
  }
};

// In the browser the document says it, to whichever island imports this first.
if (typeof document !== "undefined") {
  const { offers } = document.documentElement.dataset;
  const known = offers === undefined ? null : JSON.parse(offers) as Offers;
  const at = () => location.pathname.slice(basePath().length) + location.search;
  if (known !== null) useLooking(() => ({ offers: known, page: at() }));
}
