/** The context of a request: what middlewares, handlers and pages are given. */
import type { AnyComponent, FunctionComponent, VNode } from "preact";
import { h, isValidElement } from "preact";
import { renderDocument } from "./document.tsx";
import type { Manifest } from "./manifest.ts";
import { locale, SOURCE_LOCALE } from "../../i18n/locale.ts";
import { islandsIn } from "./island_texts.ts";
import { setNonce } from "../nonce.ts";
import { jsxTemplate } from "preact/jsx-runtime";

/** Props of pages, layouts and the app. */
export type PageProps<Data = unknown, State = unknown> =
  & Pick<
    Context<State>,
    "url" | "req" | "params" | "info" | "state" | "error" | "route" | "Component"
  >
  & { data: Data };

/** A component of `routes/`; an `async` one is awaited before anything is rendered. */
export type RouteComponent<State> = AnyComponent<PageProps<unknown, State>>;

/** A route's or layout's `config` export. */
export interface LayoutConfig {
  /** Render without `_app`. */
  skipAppWrapper?: boolean;
  /** Render without the layouts of the folders above. */
  skipInheritedLayouts?: boolean;
}

/** The framework's own state of a request. */
interface Internals<State> {
  readonly manifest: Manifest;
  app: RouteComponent<State> | null;
  layouts: readonly RouteComponent<State>[];
}

/** The framework's own part of a context. */
export let internalsOf: <State>(ctx: Context<State>) => Internals<State>;

/** A request on its way through the app. */
export class Context<State> {
  readonly req: Request;
  /** The address asked for, repeated slashes collapsed. */
  readonly url: URL;
  /** Pattern of the route that matched, such as `/vms/:id`; null when none did. */
  readonly route: string | null;
  /** Values of the pattern's places. Decoded, save for characters that would change the path (`%2F` stays). */
  readonly params: Record<string, string>;
  /** The connection of the request. */
  readonly info: Deno.ServeHandlerInfo;
  /** Shared by everything that handles this request; middlewares fill it. */
  readonly state: State = {} as State;
  /** Error that was thrown, for error pages; else null. */
  error: unknown = null;
  data: unknown = undefined;
  /** Goes on with the next middleware or the route. */
  next: () => Promise<Response>;
  /** In layouts and the app: what they go around. */
  Component: FunctionComponent = () => null;
  readonly #internals: Internals<State>;

  static {
    internalsOf = (ctx) => ctx.#internals;
  }

  constructor(
    request: Pick<Context<State>, "req" | "url" | "route" | "params" | "info" | "next">,
    manifest: Manifest,
  ) {
    this.req = request.req;
    this.url = request.url;
    this.route = request.route;
    this.params = request.params;
    this.info = request.info;
    this.next = request.next;
    this.#internals = { manifest, app: null, layouts: [] };
  }

  /**
   * Answers with a redirect to another page of this site. What a browser could read as another site's address
   * (`//host`, `/\host`) becomes a path of this one.
   *
   * @throws {TypeError} when `path` does not begin with a slash, or when it is not called as a method: Fresh's needs
   * its context.
   */
  redirect(this: Context<State>, path: string, status = 302): Response {
    if (!(this instanceof Context)) throw new TypeError("ctx.redirect() is a method of the context");
    const [, pathname = "", rest = ""] = /^([^?#]*)(.*)$/s.exec(path.replace(/[\t\r\n]/g, "")) ?? [];
    if (!pathname.startsWith("/")) {
      throw new TypeError(`ctx.redirect() takes a path that begins with "/", not "${path}"`);
    }
    const to = new URL(pathname.replace(/[/\\]+/g, "/") + rest, "http://localhost");
    return new Response(null, { status, headers: { location: to.pathname + to.search + to.hash } });
  }

  /** Renders an element inside this request's layouts and app. */
  async render(vnode: VNode | null, init: ResponseInit = {}, config: LayoutConfig = {}): Promise<Response> {
    if (vnode !== null && !isValidElement(vnode)) throw new TypeError("ctx.render() takes a JSX element");
    const { app, layouts, manifest } = this.#internals;
    const assets = islandsIn(await manifest.assets(), locale(), SOURCE_LOCALE);

    let inner = vnode;
    for (const layout of config.skipInheritedLayouts ? [] : layouts.toReversed()) {
      const child = inner;
      const result = await renderComponent(this, layout, () => child);
      if (result instanceof Response) return result;
      inner = result;
    }

    let html = "";
    let wrapped: VNode | null = null;
    if (app !== null && !config.skipAppWrapper) {
      const result = await renderComponent(this, app, () => jsxTemplate([html]));
      if (result instanceof Response) return result;
      wrapped = result;
    }
    const nonce = crypto.randomUUID().replaceAll("-", "");
    const text = renderDocument(inner, wrapped, (page) => html = page, manifest.islands, assets, nonce);
    const headers = new Headers(init.headers);
    headers.set("content-type", "text/html; charset=utf-8");
    const response = new Response(text, { ...init, headers });
    setNonce(response, nonce);
    return response;
  }
}

/** Makes the element of a route's component; an `async` component runs now, and may answer the request itself. */
export async function renderComponent<State>(
  ctx: Context<State>,
  component: RouteComponent<State>,
  Component: FunctionComponent,
  data: unknown = null,
): Promise<VNode | Response | null> {
  const { url, req, params, info, state, error, route } = ctx;
  const props: PageProps<unknown, State> = { url, req, params, info, state, error, route, data, Component };
  if (!isAsync<PageProps<unknown, State>>(component)) return h(component as AnyComponent<object>, props);
  return await component(props);
}

/** Told as Fresh does, by the function's own kind: a promise cannot be waited for while rendering. */
function isAsync<Props>(
  component: unknown,
): component is (props: Props) => Promise<VNode | Response | null> {
  return typeof component === "function" && component.constructor.name === "AsyncFunction";
}
