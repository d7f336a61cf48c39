import { page } from "fresh";
import { Head } from "fresh/runtime";
import { OwnPassword } from "../../components/access/OwnPassword.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { CheckField, SelectField, TextField } from "../../components/kit/Field.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import { VM_STATES } from "../../lib/contract/choices.ts";
import { HOOK_EVENTS, type Tool } from "../../lib/contract/tools.ts";
import type { VmState } from "../../lib/contract/vm.ts";
import { profiles as texts } from "../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { toolText } from "../../lib/profiles/tools.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { STATES } from "../../lib/vm/state.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";

const { t, plural } = textsOf(texts);
const HERE = "/profiles/tools";

export const handler = define.handlers({
  async GET({ state }) {
    const [tools, users] = await Promise.all([
      state.api.listTools().catch(fail),
      state.api.listUsers().catch(unlessAway),
    ]);
    return page({ tools, users: users ?? [] });
  },
});

/** Short description of a definition. */
function meaningOf({ tool_type, account, steps, address, program, event, state }: Tool): string {
  if (tool_type === "agent") return account ?? t("profiles.account_gone");
  if (tool_type === "skill") return plural("profiles.steps", steps.length);
  const when = event === null ? null : t(`profiles.event.${event}`);
  const what = when !== null && state !== null ? `${when}: ${tAll(STATES[state as VmState].word)}` : when;
  return [what, program ?? address].filter((part) => part !== null).join(" → ");
}

/** The name of a tool: of a skill a link to the page that changes it. */
function ToolName({ tool: { tool_type, name } }: { tool: Tool }) {
  const text = <bdi>{oneLine(name, 64)}</bdi>;
  return tool_type === "skill"
    ? <a href={`/profiles/skill?${new URLSearchParams({ name })}`}>{text}</a>
    : text;
}

/** Kinds of tools that a form defines here. */
type FormKind = "agent" | "hook" | "mcp";

/** The form that defines a tool. @param accounts that may be an agent's */
function ToolForm(
  { kind, accounts, state }: {
    kind: FormKind;
    accounts: readonly { readonly id: string; readonly name: string }[];
    state: PageState;
  },
) {
  const typed = typedAgain(state.refused, "set_tool");
  const own = typed?.tool_type === kind ? typed : undefined;
  const error = (field: string) =>
    own === undefined ? undefined : refusalAt(state.refused, "set_tool", field);
  return (
    <form method="post" action={formHref("set_tool", { tool_type: kind }, HERE)}>
      <div class="form-grid">
        <TextField
          name="name"
          label={t("profiles.name")}
          required
          maxLength={64}
          defaultValue={own?.name ?? ""}
          error={error("name")}
        />
        {kind === "agent" && (
          <SelectField
            name="account"
            label={t("profiles.account")}
            value={own?.account ?? ""}
            choices={accounts.map(({ id, name }) => ({ value: id, label: name }))}
            error={error("account")}
          />
        )}
        {kind === "hook" && (
          <SelectField
            name="event"
            label={t("profiles.event")}
            value={own?.event ?? HOOK_EVENTS[0]}
            choices={HOOK_EVENTS.map((value) => ({ value, label: t(`profiles.event.${value}`) }))}
          />
        )}
        {kind === "hook" && (
          <SelectField
            name="state"
            label={t("profiles.state")}
            hint={t("profiles.state_hint")}
            value={own?.state ?? ""}
            choices={[
              { value: "", label: t("profiles.any_state") },
              ...VM_STATES.map((value) => ({ value, label: tAll(STATES[value].word) })),
            ]}
            error={error("state")}
          />
        )}
        {kind !== "agent" && (
          <>
            <TextField
              name="url"
              label={t("profiles.url")}
              type="url"
              required
              maxLength={2048}
              defaultValue={own?.url ?? ""}
              error={error("url")}
            />
            <TextField
              name="secret"
              label={t("profiles.secret")}
              hint={t("profiles.secret_hint")}
              type="password"
              autoComplete="off"
              maxLength={4096}
            />
            <CheckField
              name="private_addresses"
              label={t("profiles.private")}
              value="yes"
              defaultChecked={own?.private_addresses === "yes"}
            />
            <CheckField
              name="enabled"
              label={t("profiles.enabled")}
              value="yes"
              defaultChecked={own === undefined || own.enabled === "yes"}
            />
          </>
        )}
        <OwnPassword user={state.user} />
      </div>
      <div class="form-actions">
        <button type="submit" class="button">{t("profiles.define")}</button>
      </div>
    </form>
  );
}

/** Page of the tools that profiles name. */
export default define.page<typeof handler>(function Tools({ data: { tools, users }, state }) {
  // Neither oneself nor an administrator can be an agent
  const accounts = users.filter(({ name, grants }) =>
    name !== state.user?.name &&
    !grants.some(({ role, on }) => role === "administrator" && on.kind === "everything")
  );
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("profiles.defined") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("profiles.defined")}</h1>
        <span class="actions">
          <a class="button" href="/profiles/skill">{t("profiles.define_skill")}</a>
        </span>
      </header>
      <div class="storage-stack">
        <Panel title={t("profiles.defined")}>
          <p class="pad text-muted">{t("profiles.tools_what")}</p>
          <DataTable
            label={t("profiles.defined")}
            rows={tools}
            keyOf={toolText}
            attributesOf={({ name }) => ({ "data-tool": name })}
            empty={<p class="pad text-muted">{t("profiles.no_definitions")}</p>}
            columns={[
              { title: t("profiles.kind"), cell: ({ tool_type }) => t(`profiles.kind.${tool_type}`) },
              { title: t("profiles.name"), fit: "wrap", cell: (tool) => <ToolName tool={tool} /> },
              {
                title: t("profiles.stands_for"),
                fit: "wrap",
                cell: (tool) => <bdi>{oneLine(meaningOf(tool), 120)}</bdi>,
              },
              {
                title: t("profiles.enabled"),
                cell: ({ enabled }) => t(enabled ? "profiles.yes" : "profiles.no"),
              },
              { title: t("profiles.projects"), kind: "number", cell: ({ projects }) => projects },
              {
                title: t("profiles.actions"),
                kind: "actions",
                cell: (tool) => (
                  <RowButton
                    action={formHref("delete_tool", { tool_type: tool.tool_type, name: tool.name }, HERE)}
                    text={t("profiles.delete_tool")}
                    label={t("profiles.delete_tool_of", { tool: toolText(tool) })}
                  />
                ),
              },
            ]}
          />
        </Panel>
        <Panel title={t("profiles.define_agent")}>
          <p class="pad text-muted">{t("profiles.define_agent_what")}</p>
          {accounts.length > 0 ? <ToolForm kind="agent" {...{ accounts, state }} /> : (
            <p class="pad">
              {t("profiles.no_accounts")} <a href="/settings/users">{t("profiles.users")}</a>
            </p>
          )}
        </Panel>
        <Panel title={t("profiles.define_hook")}>
          <p class="pad text-muted">{t("profiles.define_hook_what")}</p>
          <ToolForm kind="hook" {...{ accounts, state }} />
        </Panel>
        <Panel title={t("profiles.define_mcp")}>
          <p class="pad text-muted">{t("profiles.define_mcp_what")}</p>
          <ToolForm kind="mcp" {...{ accounts, state }} />
        </Panel>
      </div>
    </>
  );
});
