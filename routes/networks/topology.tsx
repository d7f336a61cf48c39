import { page } from "fresh";
import { Head } from "fresh/runtime";
import NetworkTopology from "../../islands/NetworkTopology.tsx";
import { topologyHref } from "../../lib/topology/describe.ts";
import { topology as texts } from "../../lib/i18n/en/topology.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const area = textsOf(texts);
/** The ways to look at it. */
const VIEWS = [
  { view: "picture", href: topologyHref(), text: "topology.picture" },
  { view: "table", href: `${topologyHref()}?view=table`, text: "topology.table" },
] as const;

export const handler = define.handlers({
  async GET({ state: { api }, url: { searchParams } }) {
    const view = VIEWS.find((each) => each.view === searchParams.get("view"))?.view ?? "picture";
    return page({
      view,
      open: searchParams.getAll("open"),
      topology: await api.getNetworkTopology().catch(fail),
    });
  },
});

/** How devices, networks and VMs are connected: as a picture, and as tables. */
export default define.page<typeof handler>(function TopologyPage({ data: { view, open, topology } }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: area.t("topology.title") })}</title>
      </Head>
      <header class="page-head">
        <h1>{area.t("topology.title")}</h1>
        {view === "picture" && (
          <a class="visually-hidden" href={VIEWS[1].href}>{area.t("topology.as_table")}</a>
        )}
      </header>
      <nav class="tabs" aria-label={area.t("topology.views")}>
        {VIEWS.map((each) => (
          <a
            key={each.view}
            class="tab"
            href={each.href}
            aria-current={each.view === view ? "page" : undefined}
          >
            {area.t(each.text)}
          </a>
        ))}
      </nav>
      <NetworkTopology topology={topology} view={view} open={open} />
    </>
  );
});
