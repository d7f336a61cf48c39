import type { Insight, InsightSeverity } from "../../lib/contract/mod.ts";
import { applyHref, type InsightQuery } from "../../lib/insights/page_query.ts";
import { insights as texts } from "../../lib/i18n/en/insights.ts";
import { type PlainKeyOf, plural, textsOf } from "../../lib/i18n/mod.ts";
import { type FindingGroup, groupFindings, vmsOf } from "../../lib/insights/groups.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";
import type { FindingGraphData as Graph } from "../../lib/insights/graph.ts";
import { FindingGraph } from "./FindingGraph.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";

const { t } = textsOf(texts);

/** How each severity looks. */
export const SEVERITY_LOOKS: Readonly<
  Record<InsightSeverity, { icon: IconName; tone: "bad" | "warn" | "info"; word: PlainKeyOf<typeof texts> }>
> = {
  critical: { icon: "circleAlert", tone: "bad", word: "insights.severity.critical" },
  warning: { icon: "alert", tone: "warn", word: "insights.severity.warning" },
  info: { icon: "info", tone: "info", word: "insights.severity.info" },
};

const MONITORING = "/monitoring";
/** The pages with graphs. */
const hasGraphs = VM_TABS.some(({ path }) => path === MONITORING);

/** Address of a finding's figures; undefined if no page shows them. */
function graphHref({ vmId, host, series }: Insight, { window }: InsightQuery): string | undefined {
  if (!hasGraphs || series.length === 0) return undefined;
  const query = new URLSearchParams({ window, ...(vmId === undefined && host !== undefined && { host }) });
  return `${vmId === undefined ? "" : `/vms/${vmId}`}${MONITORING}?${query}`;
}

/** Pages that solve a finding on backups, by its rule; others have no page of their own. */
const BACKUP_PAGES: Readonly<
  Record<string, { href: (...vms: string[]) => string; text: PlainKeyOf<typeof texts>; creates?: true }>
> = {
  backup_missing: {
    href: (...vms) => `/backups/new?${new URLSearchParams(vms.map((vm) => ["vm", vm]))}`,
    text: "insights.create_backup",
    creates: true,
  },
  backup_failed: { href: (vmId) => `/vms/${vmId}/backups`, text: "insights.show_backups" },
  backup_old: { href: (vmId) => `/vms/${vmId}/backups`, text: "insights.show_backups" },
};

/** Names of a finding's links and buttons: their own words, then the finding's, for who hears a list of links. */
interface Named {
  /** Id of the finding's heading. */
  heading: string;
}

const named = (heading: string, part: string) => ({
  id: `${heading}-${part}`,
  "aria-labelledby": `${heading}-${part} ${heading}`,
});

/** VMs that the form of a new backup job is opened with at most: the address of a page is bounded. */
const MOST_VMS = 40;

/** Link to the page that solves a finding on backups; one of several VMs has it only where one job is for all of them. */
function BackupLink({ group, mayCreate, heading }: Named & { group: FindingGroup; mayCreate: boolean }) {
  const rule = group[0].id.split(":")[0]!, vms = vmsOf(group);
  const to = Object.hasOwn(BACKUP_PAGES, rule) ? BACKUP_PAGES[rule] : undefined;
  if (to === undefined || vms.length === 0 || (to.creates ? !mayCreate : vms.length > 1)) return null;
  const href = to.href(...vms.length > MOST_VMS ? [] : vms);
  return <a class="button" href={href} {...named(heading, "backup")}>{t(to.text)}</a>;
}

/** The button is behind a fold that says what would change: one wrong click must not change a VM. */
function Apply(
  { insight: { id, change, apply, undo }, query, heading }: Named & Pick<FindingProps, "insight" | "query">,
) {
  if (!apply || !undo) return null;
  return (
    <details class="insight-apply">
      <summary class="button" {...named(heading, "apply")}>{t("insights.apply")}</summary>
      <form method="post" action={applyHref(query, apply, undo)} data-insight={id}>
        <p>
          <strong>{change}</strong> {t("insights.apply_hint")}
        </p>
        <button type="submit" class="button primary" {...named(heading, "apply-now")}>
          {t("insights.apply_now")}
        </button>
      </form>
    </details>
  );
}

/** Props of {@link Finding}. */
interface FindingProps extends Named {
  insight: Insight;
  query: InsightQuery;
  graph: Graph | undefined;
  mayCreateBackups: boolean;
}

function Severity({ of }: { of: InsightSeverity }) {
  const { icon, tone, word } = SEVERITY_LOOKS[of];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}

/** One finding of several VMs. Each VM leads to its page, with what was seen of it. */
function CommonFinding(
  { group, mayCreateBackups, heading }: Named & { group: FindingGroup; mayCreateBackups: boolean },
) {
  const [{ severity, title, why, advice, seen }] = group;
  const isSeenAlike = group.every((each) => each.seen === seen);
  return (
    <li data-severity={severity}>
      <Severity of={severity} />
      <div class="insight-text">
        <h3 id={heading}>
          {title} <span class="text-muted">{plural("vms.counted", vmsOf(group).length)}</span>
        </h3>
        {isSeenAlike && <p>{seen}</p>}
        <p class="text-muted">{why}</p>
        <p>{advice}</p>
        <details class="insight-group">
          <summary {...named(heading, "vms")}>{t("insights.by_vm")}</summary>
          <ul>
            {group.map((each) => (
              <li key={each.id}>
                <a href={`/vms/${each.vmId}`}>
                  <bdi>{each.vmName}</bdi>
                </a>
                {!isSeenAlike && <span>{each.seen}</span>}
              </li>
            ))}
          </ul>
        </details>
        <BackupLink group={group} mayCreate={mayCreateBackups} heading={heading} />
      </div>
    </li>
  );
}

function Finding({ insight, query, graph, mayCreateBackups, heading }: FindingProps) {
  const { severity, vmId, vmName, host, title, seen, why, advice } = insight;
  const figures = graphHref(insight, query);
  return (
    <li data-severity={severity}>
      <Severity of={severity} />
      <div class="insight-text">
        <h3 id={heading}>
          {title} {vmId === undefined
            ? <span class="text-muted">{host ?? t("insights.host")}</span>
            : (
              <a href={`/vms/${vmId}`}>
                <bdi>{vmName}</bdi>
              </a>
            )}
        </h3>
        <p>
          {seen}{" "}
          {figures !== undefined && <a href={figures} {...named(heading, "figures")}>{t("insights.graph")}
          </a>}
        </p>
        {graph !== undefined && <FindingGraph graph={graph} />}
        <p class="text-muted">{why}</p>
        <p>{advice}</p>
        <Apply insight={insight} query={query} heading={heading} />
        <BackupLink group={[insight]} mayCreate={mayCreateBackups} heading={heading} />
      </div>
    </li>
  );
}

/** Props of {@link FindingList}. */
export interface FindingListProps {
  insights: readonly Insight[];
  query: InsightQuery;
  /** By the findings' ids; not all have one. */
  graphs: ReadonlyMap<string, Graph>;
  mayCreateBackups: boolean;
}

/** Findings, each with what was seen, why it matters, and what to do; those that several VMs have in common as one. */
export function FindingList({ insights, query, graphs, mayCreateBackups }: FindingListProps) {
  return (
    <ul class="insight-list">
      {groupFindings(insights).map((group, index) => {
        const [first] = group, heading = `finding-${index}`;
        return group.length > 1
          ? (
            <CommonFinding
              key={first.id}
              heading={heading}
              group={group}
              mayCreateBackups={mayCreateBackups}
            />
          )
          : (
            <Finding
              key={first.id}
              heading={heading}
              insight={first}
              query={query}
              graph={graphs.get(first.id)}
              mayCreateBackups={mayCreateBackups}
            />
          );
      })}
    </ul>
  );
}
