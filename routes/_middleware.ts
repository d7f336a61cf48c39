/** Gives every page what it needs: who looks, the commands, the theme, the state of the link. Others are sent to sign in. */
import { shownConnection } from "../lib/access/shown_connection.ts";
import { HttpError } from "fresh";
import { parse } from "hono/utils/cookie";
import { vmIdIn } from "../components/shell/breadcrumbs.ts";
import { mayCall } from "../lib/access/may_call.ts";
import { offersOf } from "../lib/access/offers_of.ts";
import { seesHost } from "../lib/access/viewer.ts";
import { ContractError } from "../lib/contract/errors.ts";
import type { ConnectionStatus } from "../lib/contract/host.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { define, type PageState, type PageUser, THEMES } from "../lib/page_state.ts";
import { cookieOf, LANGUAGE_COOKIE, PREFERENCE, ZONE_COOKIE } from "../lib/client/preferences.ts";
import type { AddressedHost } from "../lib/text/host_path.ts";
import { type Notice, NOTICE_COOKIE, noticeCookie, noticeIn } from "../lib/text/notice.ts";
import { VERSION } from "../lib/version.ts";
import type { Principal } from "../agent/access.ts";
import { isEmptyToken, viewerOf } from "../agent/access/authorise.ts";
import type { Caller } from "../agent/access/mod.ts";
import type { Application } from "../agent/app.ts";
import { drawnFor } from "../agent/http/request_offers.ts";
import { visitOf } from "../agent/http/entry.ts";
import type { ManagedHost } from "../agent/hosts/managed_host.ts";
import { setRequestHost } from "../agent/http/request_host.ts";
import { setRequestLanguage, setRequestZone } from "../agent/i18n/request_locale.ts";
import { locales } from "../lib/i18n/locale.ts";
import { pageZone } from "../lib/i18n/zone_choice.ts";
import { keepingForm } from "./(_shared)/kept_form.ts";
import { onlyOnce } from "./(_shared)/once.ts";
import { isPublic, signInAt } from "./(_shared)/sign_in.ts";

/** Principal of a request. @throws {HttpError} for an invalid API token */
function principalOf(
  { access }: Application,
  req: Request,
  caller: Caller,
  keep: (cookie: string) => void,
): Principal {
  try {
    return access.identify(req, { ...caller, door: caller.door === "api" ? "page" : caller.door }, keep);
  } catch (error) {
    if (error instanceof ContractError) throw new HttpError(error.status, error.message);
    throw error;
  }
}

function userOf(
  { access: { accounts, confirmations } }: Application,
  { name, via, userId, role, holder }: Principal,
): PageUser | null {
  if (via === "nobody") return null;
  const account = userId === undefined ? undefined : accounts.users.get(userId);
  return {
    name,
    displayName: account?.displayName || name,
    hasAccount: via === "session",
    administrator: role === "administrator",
    hasPassword: account?.password !== undefined || account?.host === true,
    hasPasskeys: (account?.passkeys?.length ?? 0) > 0,
    ...(account?.timeZone !== undefined && { timeZone: account.timeZone }),
    ...(account?.language !== undefined && { language: account.language }),
    confirmed: via !== "session" || confirmations.until(holder) !== null,
  };
}

/** The host that a page is about, with its state. */
interface PageHost extends AddressedHost {
  readonly hostname: string;
  readonly status: ConnectionStatus;
}

const pageHostOf = ({ id, isLinked, shownName, status }: ManagedHost): PageHost => ({
  id,
  isLinked,
  status,
  hostname: shownName,
});

/**
 * The host that a page is about: that of its VM, else the one that its address names, else the local one, or the first that is
 * in sight. Who is not signed in learns of no host.
 *
 * @throws {HttpError} 404, also for a host out of sight
 */
function hostOf(app: Application, principal: Principal, named: string | undefined, path: string): PageHost {
  const { hosts, managed, places } = app;
  if (principal.via === "nobody") return pageHostOf(hosts.local);
  const viewer = viewerOf(principal, places), isSeen = ({ id }: ManagedHost) => seesHost(viewer, id);
  const vmId = vmIdIn(path), ofVm = vmId === undefined ? undefined : managed.withVm(vmId);
  // The page of a VM out of sight is as that of none
  if (ofVm !== undefined && isSeen(ofVm)) return pageHostOf(ofVm);
  const host = named === undefined ? managed.all().find(isSeen) : managed.named(named);
  if (host !== undefined && isSeen(host)) return pageHostOf(host);
  const error = new ContractError("HostNotFound", { host: (named ?? hosts.local.id).slice(0, 64) });
  throw new HttpError(error.status, error.message, { cause: error });
}

export default define.middleware(async (ctx) => {
  const { app, caller, host: named, refused = null } = visitOf(ctx.info);
  const cookies: string[] = [], notices: Notice[] = [];
  const principal = principalOf(app, ctx.req, caller, (cookie) => cookies.push(cookie));
  // Every page asks who looks, and how the host is: a token that may do nothing gets none.
  if (isEmptyToken(principal)) {
    const error = new ContractError("Forbidden", { role: "viewer" });
    throw new HttpError(error.status, error.message, { cause: error });
  }
  const user = userOf(app, principal);
  if (user === null && !isPublic(ctx.url.pathname)) {
    return ctx.redirect(signInAt(ctx.req, ctx.url, named), 303);
  }
  const theme = parse(ctx.req.headers.get("cookie") ?? "", "theme").theme;
  const host = hostOf(app, principal, named, ctx.url.pathname), cookie = ctx.req.headers.get("cookie");
  const isLocal = host.id === LOCAL_HOST;
  setRequestHost(host);
  const zone = pageZone(user?.timeZone, cookieOf(cookie, ZONE_COOKIE));
  setRequestZone(zone);
  const language = locales().find((each) => each === user?.language);
  // Chosen in another browser. From now on this one says so with each call, too
  if (language !== undefined && cookieOf(cookie, LANGUAGE_COOKIE) === undefined) {
    await setRequestLanguage(language);
    cookies.push(`${LANGUAGE_COOKIE}=${language}; ${PREFERENCE}`);
  }
  const state: PageState = {
    user,
    api: app.apiFor(principal, isLocal ? null : host.id),
    may: (command, on) =>
      mayCall(
        principal.rights,
        command,
        on !== undefined && "projectId" in on ? on : { hostId: host.id, ...on },
      ),
    offers: user === null ? null : offersOf(
      principal.rights,
      () => app.managed.all().flatMap(({ id }) => app.places.vmsOn(id)),
      app.managed.all().map(({ id }) => id),
      host.id,
    ),
    setup: { isEmpty: app.access.isEmpty, fits: (key) => app.access.setup.fits(key) },
    eventId: app.hub.lastId,
    refused,
    notice: ctx.req.method === "GET" && refused === null ? noticeIn(cookieOf(cookie, NOTICE_COOKIE)) : null,
    notify: (notice) => notices.push(notice),
    theme: THEMES.find((known) => known === theme) ?? "system",
    zone,
    host: host.id,
    isLinked: host.isLinked,
    connection: isLocal ? host.status : shownConnection(host.status, principal.rights),
    hostname: user === null ? "" : host.hostname,
    demo: app.settings.demo,
    version: user === null ? "" : VERSION,
    base: app.doors?.base ?? "",
  };
  Object.assign(ctx.state, state);
  const looking = state.offers &&
    { offers: state.offers, page: ctx.url.pathname + ctx.url.search, base: state.base };
  const answer = async () => {
    const response = await drawnFor(looking, () => keepingForm(ctx, () => ctx.next()));
    const [next] = notices;
    if (next !== undefined) cookies.push(noticeCookie(next));
    // A page that sends the reader on has not said it.
    else if (state.notice !== null && response.status < 300) cookies.push(noticeCookie(null));
    for (const cookie of cookies) response.headers.append("set-cookie", cookie);
    return response;
  };
  // Those who have not signed in are not told apart: each has an answer of their own.
  return user === null ? await answer() : await onlyOnce(ctx.req, `${principal.holder} ${host.id}`, answer);
});
