/**
 * Links, buttons and forms are drawn for who looks: what they may not use cannot be used, whichever component draws it. Preact
 * calls `options.vnode` with each element that is made.
 */
import { createContext, h, options, type VNode } from "preact";
import { useContext } from "preact/hooks";
import { t } from "../i18n/mod.ts";
import { type HostPath, splitHost } from "../text/host_path.ts";
import { isOffered, type Looking, looking } from "./looking.ts";
import { mayOpen, maySend, vmIdOf } from "./offers.ts";

/** An element is made that was judged already. */
let isJudged = false;

/** Address that the form around a button is sent to; an empty path outside of forms. */
const FormAddress = createContext<HostPath>({ path: "" });

/** The page at a path, whichever host's it is. */
export const pageIn = (pathname: string): string => splitHost(pathname).path;

/** Path and query of an address of ours, with the host that it names; null for others. */
function ownAddress(address: string): HostPath | null {
  if (!/^\/(?!\/)/.test(address)) return address.startsWith("?") ? { path: pageOf() + address } : null;
  const base = looking()?.base ?? "";
  const own = base !== "" && address.startsWith(`${base}/`) ? address.slice(base.length) : address;
  return splitHost(own.replace(/#.*/s, ""));
}

const pageOf = () => (looking()?.page ?? "").replace(/\?.*/s, "");

function judgeLink(vnode: VNode<Record<string, unknown>>, { offers }: Looking): void {
  const { href } = vnode.props;
  const address = typeof href === "string" ? ownAddress(href) : null;
  if (address === null || mayOpen(offers, address.path, address.host)) return;
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
  form: HostPath,
  { formAction, name, value }: Record<string, unknown>,
  { offers, page }: Looking,
): boolean {
  const isAction = name === "action" && typeof value === "string";
  if (typeof formAction === "string") {
    const { path, host } = ownAddress(formAction) ?? { path: page };
    // A question is asked by a page, before it is sent.
    return isAction && path.endsWith("/confirm")
      ? mayOpen(offers, `${path}?action=${value}`, host)
      : maySend(offers, path, host);
  }
  if (isAction && /^[a-z]+(?:_[a-z]+)+$/.test(value)) {
    return isOffered(offers, value, vmIdOf(form.path), form.host);
  }
  return form.path === "" || maySend(offers, form.path, form.host);
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
  const own = typeof action === "string" && action !== "" ? ownAddress(action) : null;
  const value = own ?? { path: page };
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
