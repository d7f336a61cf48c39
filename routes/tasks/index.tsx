import { page } from "fresh";
import { Head } from "fresh/runtime";
import { SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { HostsAsked } from "../../components/search/HostsAsked.tsx";
import { HostSelect } from "../../components/search/HostSelect.tsx";
import JobList from "../../islands/JobList.tsx";
import { type Input, TASK_STATES } from "../../lib/contract/mod.ts";
import { jobs as jobTexts } from "../../lib/i18n/en/jobs.ts";
import { search as searchTexts } from "../../lib/i18n/en/search.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { searchedIn } from "../(_shared)/searched.ts";

const words = textsOf({ ...jobTexts, ...searchTexts }).t;
/** Tasks that are listed: those of one account, of which 200 are kept, leave room for the others'. */
const SHOWN = 500;
/** Tasks of a page of a search. */
const FOUND = 50;
const AT = "/tasks";

/** State → its word. */
const STATES = {
  open: "search.open",
  done: "jobs.state_done",
  failed: "jobs.state_failed",
  cancelled: "jobs.state_cancelled",
  interrupted: "jobs.state_interrupted",
} as const;

/** Search of the tasks in the address; undefined for the list of all tasks, which is live. */
function wantedIn(query: URLSearchParams): Input<"search_jobs"> | undefined {
  const state = TASK_STATES.find((each) => each === query.get("state"));
  const wanted = { ...searchedIn(query), ...(state !== undefined && { state }) };
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}

export const handler = define.handlers({
  async GET({ state: { api }, url }) {
    const wanted = wantedIn(url.searchParams);
    const [found, hosts] = await Promise.all([
      api.searchJobs(wanted === undefined ? { limit: SHOWN } : { ...wanted, limit: FOUND }),
      api.listHosts(),
    ]).catch(fail);
    return page({ found, hosts, wanted, now: Date.now() });
  },
});

/** The address of the page that follows. */
function olderHref(url: URL, cursor: string): string {
  const query = new URLSearchParams(url.search);
  query.set("cursor", cursor);
  return `${AT}?${query}`;
}

/** Long work of all hosts: what runs, and what has run. */
export default define.page<typeof handler>(function Tasks({ data: { found, hosts, wanted, now }, url }) {
  return (
    <>
      <Head>
        <title>{t("title.page", { page: t("tasks.open") })}</title>
      </Head>
      <h1>{t("tasks.open")}</h1>
      <div class="tasks-page">
        <Panel title={words("search.tasks")}>
          <form method="get">
            <div class="form-grid">
              <TextField
                label={words("search.text")}
                name="text"
                maxLength={64}
                defaultValue={wanted?.text ?? ""}
              />
              <SelectField
                label={words("search.state")}
                name="state"
                value={wanted?.state ?? ""}
                choices={[
                  { value: "", label: words("search.any") },
                  ...TASK_STATES.map((value) => ({ value, label: words(STATES[value]) })),
                ]}
              />
              <HostSelect hosts={hosts} value={wanted?.host} />
            </div>
            <div class="form-actions">
              <button type="submit" class="button">{words("search.do")}</button>
              {wanted !== undefined && <a class="button" href={AT}>{words("search.clear")}</a>}
            </div>
          </form>
        </Panel>
        <HostsAsked hosts={found.hosts} now={now} />
        <div class="panel">
          {wanted !== undefined && found.jobs.length === 0
            ? <p class="job-none text-muted">{words("search.none")}</p>
            : <JobList list={found.jobs} isSearch={wanted !== undefined} />}
          {wanted !== undefined && found.next !== null && (
            <div class="form-actions">
              <a class="button" rel="next" href={olderHref(url, found.next)}>{words("search.older")}</a>
            </div>
          )}
        </div>
      </div>
    </>
  );
});
