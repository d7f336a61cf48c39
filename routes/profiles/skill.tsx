import { page } from "fresh";
import { Head } from "fresh/runtime";
import { OwnPassword } from "../../components/access/OwnPassword.tsx";
import { Field, TextField } from "../../components/kit/Field.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { COMMANDS_PAGE } from "../../components/profiles/Tools.tsx";
import { ContractError } from "../../lib/contract/errors.ts";
import { profiles as texts } from "../../lib/i18n/en/profiles.ts";
import { t as tAll, textsOf } from "../../lib/i18n/mod.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { linesOf, stepsIn } from "../../lib/profiles/step_lines.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { errorField } from "../../lib/text/error_field.ts";
import { textIn } from "../../lib/text/form_fields.ts";
import { fail } from "../(_shared)/fail.ts";
import { postedForm } from "../(_shared)/form.ts";
import { confirmOwn } from "../(_shared)/own_password.ts";

const { t } = textsOf(texts);
const FIELDS = ["name", "description", "parameters", "steps"] as const;
/** Steps, as they are written. */
const EXAMPLE = "set_tags vmId={{vm}} tags=nightly\nstart_vm vmId={{vm}}";
type Typed = Readonly<Record<typeof FIELDS[number], string>>;

/** Data of the page: a skill as it is typed, and the refusal. */
interface Shown {
  readonly typed: Typed;
  readonly failure: Failure | null;
  readonly field: string | undefined;
}

/** The skill that there is, as it is typed; empty where there is none of the name. */
async function kept({ api }: PageState, name: string): Promise<Typed> {
  const found = (await api.listTools().catch(fail)).find((tool) =>
    tool.tool_type === "skill" && tool.name === name
  );
  return {
    name,
    description: found?.description ?? "",
    parameters: found?.parameters.join(", ") ?? "",
    steps: linesOf(found?.steps ?? []),
  };
}

export const handler = define.handlers({
  async GET({ state, url }) {
    const shown: Shown = {
      typed: await kept(state, url.searchParams.get("name") ?? ""),
      failure: null,
      field: undefined,
    };
    return page(shown);
  },
  /** Keeps the skill. */
  async POST(ctx) {
    const { req, state } = ctx, form = await postedForm(req);
    const typed = Object.fromEntries(FIELDS.map((field) => [field, textIn(form, field)])) as Typed;
    const parameters = typed.parameters.split(/[\s,]+/).filter((each) => each !== "");
    try {
      await confirmOwn(state.api, form);
      await state.api.setTool({
        tool_type: "skill",
        name: typed.name,
        parameters,
        steps: stepsIn(typed.steps),
        description: typed.description,
      });
    } catch (error) {
      const failure = failureOf(error),
        [field] = (error instanceof ContractError && errorField(error)?.split(".")) || [];
      const shown: Shown = { typed, failure, field };
      return page(shown, { status: failure.status });
    }
    return ctx.redirect("/profiles/tools", 303);
  },
});

/** A skill: its parameters, and its steps, a line each. */
export default define.page<typeof handler>(function Skill({ data, state }) {
  const { typed, failure, field } = data as Shown;
  const errorAt = (name: string) => field === name ? failure?.why : undefined;
  const isAtField = FIELDS.some((name) => name === field);
  return (
    <>
      <Head>
        <title>{tAll("title.page", { page: t("profiles.define_skill") })}</title>
      </Head>
      <header class="page-head">
        <h1>{t("profiles.define_skill")}</h1>
        <span class="actions">
          <a class="button" href="/profiles/tools">{t("profiles.defined")}</a>
        </span>
      </header>
      <div class="storage-stack">
        {failure !== null && !isAtField && <Flash tone="bad" icon="alert" title={failure.why} />}
        <Panel title={t("profiles.define_skill")}>
          <p class="pad text-muted">{t("profiles.define_skill_what")}</p>
          <form method="post" action="/profiles/skill">
            <div class="form-grid">
              <TextField
                name="name"
                label={t("profiles.name")}
                required
                maxLength={64}
                defaultValue={typed.name}
                error={errorAt("name")}
              />
              <TextField
                name="description"
                label={t("profiles.description")}
                maxLength={1000}
                defaultValue={typed.description}
                error={errorAt("description")}
              />
              <TextField
                name="parameters"
                label={t("profiles.parameters")}
                hint={
                  <>
                    {t("profiles.parameters_hint")}: <code>{"{{vm}}"}</code>
                  </>
                }
                placeholder="vm"
                maxLength={2000}
                defaultValue={typed.parameters}
                error={errorAt("parameters")}
              />
              <Field
                label={t("profiles.skill_steps")}
                hint={
                  <>
                    {t("profiles.skill_steps_hint")}. <a href={COMMANDS_PAGE}>{t("profiles.commands")}</a>
                  </>
                }
                error={errorAt("steps")}
                wide
                control={(ties) => (
                  <textarea
                    class="input xml-input"
                    name="steps"
                    rows={8}
                    required
                    spellcheck={false}
                    autocomplete="off"
                    placeholder={EXAMPLE}
                    {...ties}
                  >
                    {typed.steps}
                  </textarea>
                )}
              />
              <OwnPassword user={state.user} />
            </div>
            <div class="form-actions">
              <button type="submit" class="button">{t("profiles.define")}</button>
            </div>
          </form>
        </Panel>
      </div>
    </>
  );
});
