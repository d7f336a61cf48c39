import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { Empty } from "../../components/kit/Empty.tsx";
import { SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import {
  type Input,
  type Output,
  PLACEMENT_KINDS,
  type PlacementRuleShown,
  type VM,
} from "../../lib/contract/mod.ts";
import { placement as texts } from "../../lib/i18n/en/placement.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail } from "../(_shared)/fail.ts";
import { postedForm } from "../(_shared)/form.ts";

const { t, plural } = textsOf(texts);
const AT = "/settings/placement";

/** The fields of a new rule, as they were typed. */
const FIELDS = ["name", "kind", "vms", "tags", "groups", "hosts"] as const;
type Typed = Readonly<Record<typeof FIELDS[number], string>>;
const EMPTY: Typed = { name: "", kind: "apart", vms: "", tags: "", groups: "", hosts: "" };

async function shown({ api }: PageState, typed: Typed = EMPTY, failure: Failure | null = null) {
  const [rules, vms, advice, hosts] = await Promise.all([
    api.listPlacementRules(),
    api.getVms(),
    api.getPlacementAdvice(),
    api.listHosts(),
  ]).catch(fail);
  return { rules, vms, advice, hosts, typed, failure };
}

const words = (text: string, separator: RegExp) =>
  text.split(separator).map((word) => word.trim()).filter((word) => word !== "");

/** VMs by their names or ids. What no VM is called is given on as an id, which is refused with it. */
function vmIdsIn(text: string, vms: readonly VM[]): string[] {
  return [...new Set(words(text, /\s+/).map((word) => vms.find(({ name }) => name === word)?.id ?? word))];
}

export const handler = define.handlers({
  async GET({ state }) {
    return page(await shown(state));
  },
  /** VMs are named, and a list stands in one line. */
  async POST(ctx) {
    const { req, state } = ctx, form = await postedForm(req);
    const typed = Object.fromEntries(FIELDS.map((name) => [name, textIn(form, name)])) as Typed;
    try {
      const vmIds = vmIdsIn(typed.vms, await state.api.getVms());
      const lists = {
        vmIds,
        tags: words(typed.tags, /[\s,]+/),
        groups: words(typed.groups, /,/),
        hosts: words(typed.hosts, /[\s,]+/),
      };
      const kind = typed.kind as Input<"create_placement_rule">["kind"];
      await state.api.createPlacementRule({ name: typed.name.trim(), kind, ...lists });
      return ctx.redirect(AT, 303);
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, typed, failure), { status: failure.status });
    }
  },
});

/** VMs, tags and groups that a rule is for, as a text. */
function targetsText({ vmIds, tags, groups }: PlacementRuleShown, vms: readonly VM[]): string {
  const nameOf = (id: string) => vms.find((vm) => vm.id === id)?.name ?? id;
  return [
    ...vmIds.map((id) => oneLine(nameOf(id), 60)),
    ...tags.map((tag) => `#${oneLine(tag, 40)}`),
    ...groups.map((group) => oneLine(group, 60)),
  ].join(", ");
}

/** A host's label by its id. */
type LabelOf = (id: string) => string;

/** Moves that would keep the rules and even out the hosts. */
function Advice({ advice, labelOf }: { advice: Output<"get_placement_advice">; labelOf: LabelOf }) {
  return (
    <Panel title={t("placement.advice")}>
      <p class="pad text-muted">{t("placement.advice_what")}</p>
      <DataTable
        label={t("placement.advice")}
        rows={advice}
        keyOf={({ vmId }) => vmId}
        attributesOf={({ name }) => ({ "data-advice": name })}
        empty={<p class="pad text-muted">{t("placement.advice_none")}</p>}
        columns={[
          {
            title: t("placement.vm"),
            cell: ({ vmId, name }) => (
              <a href={`/vms/${encodeURIComponent(vmId)}`}>
                <bdi>{oneLine(name, 60)}</bdi>
              </a>
            ),
          },
          { title: t("placement.to"), cell: ({ to }) => labelOf(to) },
          { title: t("placement.why"), fit: "wrap", cell: ({ text }) => oneLine(text, 500) },
          {
            title: t("placement.actions"),
            kind: "actions",
            cell: ({ vmId, name, to }) => (
              <a
                class="button small"
                href={`/vms/${encodeURIComponent(vmId)}/migrate?${new URLSearchParams({ toHost: to })}`}
                aria-label={t("placement.move_of", { name: oneLine(name, 60), host: labelOf(to) })}
              >
                {t("placement.move")}
              </a>
            ),
          },
        ]}
      />
    </Panel>
  );
}

/** The form of a new rule, with what was typed into it. */
function NewRule({ typed }: { typed: Typed }) {
  return (
    <Panel title={t("placement.new")}>
      <form method="post">
        <div class="form-grid">
          <TextField
            name="name"
            label={t("placement.name")}
            required
            maxLength={60}
            defaultValue={typed.name}
          />
          <SelectField
            name="kind"
            label={t("placement.kind")}
            value={typed.kind}
            choices={PLACEMENT_KINDS.map((value) => ({ value, label: t(`placement.kind.${value}`) }))}
          />
          <TextField
            name="vms"
            label={t("placement.vms")}
            hint={t("placement.vms_hint")}
            defaultValue={typed.vms}
          />
          <TextField
            name="tags"
            label={t("placement.tags")}
            hint={t("placement.tags_hint")}
            defaultValue={typed.tags}
          />
          <TextField
            name="groups"
            label={t("placement.groups")}
            hint={t("placement.groups_hint")}
            defaultValue={typed.groups}
          />
          <TextField
            name="hosts"
            label={t("placement.hosts")}
            hint={t("placement.hosts_hint")}
            defaultValue={typed.hosts}
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("placement.create")}</button>
        </div>
      </form>
    </Panel>
  );
}

/** On which hosts VMs belong, where that is not so, and which moves are advised. */
export default define.page<typeof handler>(function PlacementPage({ data, state }) {
  const { rules, vms, advice, hosts, typed, failure } = data;
  const labelOf: LabelOf = (id) => oneLine(hosts.find((host) => host.id === id)?.label ?? id, 60);
  return (
    <SettingsPage at={AT} user={state.user} failure={failure}>
      <Panel title={t("placement.rules")}>
        <p class="pad text-muted">{t("placement.what")}</p>
        <DataTable
          label={t("placement.rules")}
          rows={rules}
          keyOf={({ id }) => id}
          attributesOf={({ name }) => ({ "data-rule": name })}
          empty={
            <Empty icon="network" title={t("placement.none")}>
              <p>{t("placement.none_what")}</p>
            </Empty>
          }
          columns={[
            { title: t("placement.name"), cell: ({ name }) => <bdi>{oneLine(name, 60)}</bdi> },
            { title: t("placement.kind"), cell: ({ kind }) => t(`placement.kind.${kind}`) },
            {
              title: t("placement.for"),
              fit: "wrap",
              cell: (rule) => (
                <span class="stack">
                  <bdi>{targetsText(rule, vms)}</bdi>
                  <span class="text-muted">{plural("placement.count", rule.vms)}</span>
                </span>
              ),
            },
            { title: t("placement.hosts"), cell: ({ hosts: named }) => named.map(labelOf).join(", ") },
            {
              title: t("placement.broken"),
              fit: "wrap",
              cell: ({ broken }) =>
                broken.length === 0
                  ? <span class="text-muted">{t("placement.holds")}</span>
                  : <span class="error-text">{broken.map((text) => oneLine(text, 300)).join(" · ")}</span>,
            },
            {
              title: t("placement.actions"),
              kind: "actions",
              cell: ({ id: ruleId, name }) => (
                <RowButton
                  action={formHref("delete_placement_rule", { ruleId }, AT)}
                  text={t("placement.delete")}
                  label={t("placement.delete_of", { name: oneLine(name, 60) })}
                />
              ),
            },
          ]}
        />
      </Panel>
      <Advice advice={advice} labelOf={labelOf} />
      <NewRule typed={typed} />
    </SettingsPage>
  );
});
