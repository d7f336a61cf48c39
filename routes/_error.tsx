import { HttpError } from "fresh";
import { Head } from "fresh/runtime";
import { Icon } from "../components/kit/Icon.tsx";
import { vmIdIn } from "../components/shell/breadcrumbs.ts";
import ReloadWhenBack from "../islands/ReloadWhenBack.tsx";
import { REPLICATION_PAGE } from "../components/replication/ReplicationTables.tsx";
import { isOffered } from "../lib/access/looking.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { hrefOn } from "../lib/text/host_path.ts";
import { failureOf } from "../lib/text/failure.ts";
import { replication as replicationTexts } from "../lib/i18n/en/replication.ts";
import { type PlainKey, t, textsOf } from "../lib/i18n/mod.ts";
import { define } from "../lib/page_state.ts";

const { t: tReplication } = textsOf(replicationTexts);

/** Status → what it means to a person. What is not here is a failure of ours. */
const TITLES: Readonly<Record<number, PlainKey>> = {
  400: "error.bad",
  403: "error.forbidden",
  404: "error.missing",
  409: "error.conflict",
  503: "error.away",
};

/** Public text of an error. One that was not written for users is replaced: its text may hold private data. */
function shown(error: unknown) {
  if (error instanceof HttpError) {
    const failure = failureOf(error);
    // A page that is not there is no failure of ours: the log has nothing on it.
    return failure.status < 500 && failure.code === "Internal" ? { ...failure, advice: undefined } : failure;
  }
  return { ...failureOf(error), status: 500, why: t("error.internal"), advice: t("advice.log") };
}

/** Every error's page: what happened, what to do, a way on. */
export default define.page(function ErrorPage({ error, url, state }) {
  const { status, why, advice } = shown(error);
  const isHostAway = status === 503 && state.isLinked === true;
  const title = t(isHostAway ? "error.host_away" : TITLES[status] ?? "error.failed");
  const isMissing = status === 404;
  const { offers } = state, isOfVm = vmIdIn(url.pathname) !== undefined;
  const hasReplicas = isHostAway && isOfVm && !!offers &&
    isOffered(offers, "list_replicas", undefined, LOCAL_HOST);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title })}</title>
      </Head>
      <section class="error-page">
        <Icon name={isMissing ? "search" : status === 503 ? "unplug" : "circleAlert"} />
        <p class="error-status">{t("error.status", { status })}</p>
        <h1>{title}</h1>
        <p class="error-why">{why || t(isMissing ? "error.missing_what" : "error.internal")}</p>
        {advice && <p class="text-muted">{advice}</p>}
        {hasReplicas && <p class="text-muted">{tReplication("replication.host_away")}</p>}
        <p class="error-ways">
          <a class="button primary" href={isHostAway ? hrefOn(LOCAL_HOST, "/vms") : "/vms"}>
            {t("error.to_vms")}
          </a>
          <a class="button" href={isHostAway ? hrefOn(LOCAL_HOST, "/") : "/"}>{t("error.to_dashboard")}</a>
          {hasReplicas && (
            <a class="button" href={hrefOn(LOCAL_HOST, REPLICATION_PAGE)}>{t("nav.replication")}</a>
          )}
          {!isMissing && <a class="button" href={url.pathname + url.search}>{t("error.again")}</a>}
        </p>
      </section>
      {status === 503 && state.connection?.connected === false && <ReloadWhenBack />}
    </>
  );
});
