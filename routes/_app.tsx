import { asset } from "fresh/runtime";
import { Flash } from "../components/kit/Flash.tsx";
import { crumbsOf, vmIdIn } from "../components/shell/breadcrumbs.ts";
import { FormOutcome } from "../components/shell/FormOutcome.tsx";
import { Sidebar } from "../components/shell/Sidebar.tsx";
import { TopBar } from "../components/shell/TopBar.tsx";
import Feedback from "../islands/Feedback.tsx";
import LiveStatus from "../islands/LiveStatus.tsx";
import { cookieOf, themeColourMedia } from "../lib/client/preferences.ts";
import { THEME_COLOURS } from "../lib/client/theme_colour.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { vmCountsOf } from "../lib/host/vm_counts.ts";
import { locale } from "../lib/i18n/locale.ts";
import { directionOf } from "../lib/i18n/languages.ts";
import { t } from "../lib/i18n/mod.ts";
import { define, type PageState } from "../lib/page_state.ts";
import { unlessAway } from "./(_shared)/fail.ts";

/** The version of the host's libvirt; empty where libvirt cannot say it. The page itself says why. */
async function libvirtVersionOf(api: PageState["api"]): Promise<string> {
  try {
    return (await api.getHostInfo()).libvirtVersion;
  } catch {
    return "";
  }
}

/** The name of the VM a path is about; undefined where there is none. The page itself answers 404. */
async function vmNameIn(path: string, api: PageState["api"]): Promise<string | undefined> {
  const vmId = vmIdIn(path);
  if (vmId === undefined) return undefined;
  try {
    return (await api.getVm({ vmId: decodeURIComponent(vmId) })).name;
  } catch {
    return undefined;
  }
}

/** The document and the frame around every page. */
export default define.layout(async function App({ Component, req, state, url }) {
  const path = url.pathname;
  const folded = cookieOf(req.headers.get("cookie"), "sidebar") === "folded";
  // A middleware that refuses a request leaves no state behind: its error page has no frame.
  const ready = state.api !== undefined && state.user !== null;
  const [libvirtVersion, vmName, jobs, alerts, hosts] = ready
    ? await Promise.all([
      libvirtVersionOf(state.api),
      vmNameIn(path, state.api),
      state.api.listJobs({ open: true }),
      state.api.getAlertSummary().catch(unlessAway),
      state.api.listHosts(),
    ])
    : [];
  return (
    <html
      lang={locale()}
      dir={directionOf(locale())}
      data-theme={state.theme ?? "system"}
      data-sidebar={folded ? "folded" : "open"}
      data-zone={ready ? state.zone : undefined}
      data-base={state.base || undefined}
      data-host={ready && state.host !== LOCAL_HOST ? state.host : undefined}
      data-linked={ready && state.isLinked ? "" : undefined}
      data-offers={state.offers ? JSON.stringify(state.offers) : undefined}
    >
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        {Object.entries(THEME_COLOURS).map(([scheme, colour]) => (
          <meta
            key={scheme}
            name="theme-color"
            data-scheme={scheme}
            content={colour}
            media={themeColourMedia(state.theme ?? "system", scheme)}
          />
        ))}
        <title>{t("app.name")}</title>
        {/* The address that the built stylesheet names; fonts are fetched without credentials, preloaded ones too. */}
        <link
          rel="preload"
          href={asset("/fonts/inter.woff2")}
          as="font"
          type="font/woff2"
          crossorigin="anonymous"
        />
        <link rel="stylesheet" href={asset("/styles/main.css")} />
        <link rel="icon" href={asset("/favicon.svg")} type="image/svg+xml" />
        <link rel="apple-touch-icon" href={asset("/icons/maskable-192.png")} />
        {/* At the same address in every version: installed apps ask there for changes */}
        <link rel="manifest" href="/app.webmanifest" />
      </head>
      <body>
        <a class="skip" href="#main">{t("app.skip")}</a>
        <div class={ready ? "app" : "app bare"}>
          {ready && (
            <Sidebar
              path={path}
              offers={state.offers}
              folded={folded}
              counts={vmCountsOf(hosts ?? [], state.host)}
              version={state.version ?? ""}
              hosts={hosts ?? []}
              host={state.host}
            />
          )}
          <div class="stage">
            {ready && (
              <TopBar
                state={state}
                hosts={hosts ?? []}
                crumbs={crumbsOf(path, vmName ?? state.subject)}
                libvirtVersion={libvirtVersion ?? ""}
                alerts={alerts ?? null}
                jobs={jobs ?? []}
              />
            )}
            {state.demo && ready && (
              <aside aria-label={t("banner.demo")}>
                <Flash tone="info" icon="info" title={t("banner.demo")} quiet>{t("banner.demo_text")}</Flash>
              </aside>
            )}
            {ready && (
              <LiveStatus
                eventId={state.eventId}
                connection={state.connection}
                isLinked={state.isLinked}
                mayHealth={state.host === LOCAL_HOST && state.may("get_host_health")}
                now={Date.now()}
              />
            )}
            <main id="main" tabIndex={-1}>
              {ready && <FormOutcome state={state} path={path} />}
              <Component />
            </main>
            {ready && (
              <footer class="page-zone">
                {t("app.zone", { zone: state.zone })}
                {state.user?.hasAccount && <a href="/settings/account#time-zone">{t("app.zone_change")}</a>}
              </footer>
            )}
          </div>
        </div>
        {ready && <Feedback />}
      </body>
    </html>
  );
});
