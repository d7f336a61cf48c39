import { page } from "fresh";
import { Head } from "fresh/runtime";
import { TextField } from "../../components/kit/Field.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { ToolMatrix } from "../../components/profiles/ToolMatrix.tsx";
import {
  TOOL_FIELDS,
  ToolFields,
  toolIn,
  ToolTable,
  type TypedTool,
} from "../../components/profiles/Tools.tsx";
import type { ProfileDetails } from "../../lib/contract/mod.ts";
import { profiles as texts } from "../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { isTool, toolText } from "../../lib/profiles/tools.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail, unlessAway } from "../(_shared)/fail.ts";
import { postedForm } from "../(_shared)/form.ts";

const { t } = textsOf(texts);

async function shown(state: PageState, id: string, typed?: TypedTool, failure: Failure | null = null) {
  const profile = await state.api.getProfile({ id }).catch(fail);
  state.subject = profile.name;
  const defined = state.may("update_profile") ? await state.api.listTools().catch(unlessAway) ?? [] : [];
  return { profile, typed, failure, defined };
}

export const handler = define.handlers({
  async GET({ state, params }) {
    return page(await shown(state, params.id ?? ""));
  },
  /** Adds a tool, or removes one: the command takes all of them. */
  async POST(ctx) {
    const { req, state } = ctx, id = ctx.params.id ?? "", form = await postedForm(req);
    const { profile } = await shown(state, id);
    const typed = Object.fromEntries(TOOL_FIELDS.map((field) => [field, textIn(form, field)])) as TypedTool;
    const isRemoval = textIn(form, "what") === "remove", tool = toolIn(typed);
    const tool_refs = isRemoval
      ? profile.tool_refs.filter((each) => !isTool(each, tool))
      : [...profile.tool_refs, tool];
    try {
      await state.api.updateProfile({ id, tool_refs });
    } catch (error) {
      const failure = failureOf(error);
      return page(await shown(state, id, isRemoval ? undefined : typed, failure), { status: failure.status });
    }
    return ctx.redirect(`/profiles/${encodeURIComponent(id)}`, 303);
  },
});

/** Projects that a profile is assigned to. */
function ProfileProjects({ projects }: { projects: ProfileDetails["assigned_projects"] }) {
  return (
    <Panel title={t("profiles.projects")}>
      {projects.length === 0 ? <p class="pad text-muted">{t("profiles.no_projects")}</p> : (
        <ul class="pad">
          {projects.map(({ id, name, path }) => (
            <li key={id}>
              <a href={`${path}/tools`}>
                <bdi>{oneLine(name, 64)}</bdi>
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Name, description and deletion of a profile. */
function ProfileSettings({ profile, refused }: { profile: ProfileDetails; refused: RefusedForm | null }) {
  const { id } = profile, here = `/profiles/${encodeURIComponent(id)}`;
  const again = typedAgain(refused, "update_profile");
  return (
    <>
      <Panel title={t("profiles.settings")}>
        <form method="post" action={formHref("update_profile", { id }, here)}>
          <div class="form-grid">
            <TextField
              name="name"
              label={t("profiles.name")}
              required
              maxLength={64}
              defaultValue={again?.name ?? profile.name}
              error={refusalAt(refused, "update_profile", "name")}
            />
            <TextField
              name="description"
              label={t("profiles.description")}
              maxLength={1000}
              defaultValue={again?.description ?? profile.description ?? ""}
              error={refusalAt(refused, "update_profile", "description")}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button">{t("profiles.save")}</button>
          </div>
        </form>
      </Panel>
      <Panel title={t("profiles.delete")}>
        <p class="pad text-muted">{t("profiles.delete_what")}</p>
        <form method="post" action={formHref("delete_profile", { id }, "/profiles", here)}>
          <input type="hidden" name="confirmed" value="yes" />
          <div class="form-actions">
            <button type="submit" class="button danger">
              {t("profiles.delete_sure", { name: oneLine(profile.name, 40) })}
            </button>
          </div>
        </form>
      </Panel>
    </>
  );
}

/** One profile: its tools, what they may use, its projects and its settings. */
export default define.page<typeof handler>(function ProfilePage({ data, state }) {
  const { profile, typed, failure, defined } = data,
    { id } = profile,
    mayManage = state.may("update_profile");
  const here = `/profiles/${encodeURIComponent(id)}`;
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: oneLine(profile.name, 60) })}</title>
      </Head>
      <header class="page-head">
        <h1>
          <bdi>{oneLine(profile.name, 64)}</bdi>
        </h1>
        <span class="actions">
          <a class="button" href={`${here}/file`} download>{t("profiles.download")}</a>
        </span>
      </header>
      <div class="storage-stack">
        {failure !== null && <Flash tone="bad" icon="alert" title={failure.why} />}
        <Panel title={t("profiles.tools")}>
          {profile.description !== null && profile.description !== "" && (
            <p class="pad">{oneLine(profile.description, 1000)}</p>
          )}
          <ToolTable
            label={t("profiles.tools")}
            rows={profile.tool_refs}
            {...(mayManage && { defined })}
            {...(mayManage && {
              actions: (tool) => (
                <form method="post">
                  <input type="hidden" name="what" value="remove" />
                  <input type="hidden" name="tool_type" value={tool.tool_type} />
                  <input type="hidden" name="name" value={tool.name} />
                  <button
                    type="submit"
                    class="button small"
                    aria-label={t("profiles.remove_of", { tool: toolText(tool) })}
                  >
                    {t("profiles.remove")}
                  </button>
                </form>
              ),
            })}
          />
        </Panel>
        {mayManage && (
          <Panel title={t("profiles.add")}>
            <form method="post">
              <ToolFields typed={typed} defined={defined} />
              <div class="form-actions">
                <button type="submit" class="button">{t("profiles.add")}</button>
              </div>
            </form>
          </Panel>
        )}
        <ProfileProjects projects={profile.assigned_projects} />
        {profile.tool_refs.length > 0 && (
          <Panel title={t("profiles.matrix")}>
            <p class="pad text-muted">{t("profiles.matrix_what")}</p>
            <ToolMatrix tools={profile.tool_refs} />
          </Panel>
        )}
        {mayManage && <ProfileSettings profile={profile} refused={state.refused} />}
      </div>
    </>
  );
});
