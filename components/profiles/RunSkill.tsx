import type { SkillParameter } from "../../lib/contract/profiles.ts";
import { profiles } from "../../lib/i18n/en/profiles.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(profiles);

/** A skill of a project, with what a run of it takes. */
export interface Runnable {
  readonly name: string;
  readonly parameters: readonly SkillParameter[];
}

/** A run as it was typed. */
export interface TypedRun {
  readonly skill: string;
  readonly values: Readonly<Record<string, string>>;
}

/** How the value of each type is written. */
const TYPE_HINTS = {
  string: "profiles.type.string",
  integer: "profiles.type.integer",
  number: "profiles.type.number",
  boolean: "profiles.type.boolean",
  array: "profiles.type.array",
} as const;

/** Name of the form's field of a parameter. */
const fieldOf = (parameter: string) => `values.${parameter}`;

/** The run that a form has. @param text of a field */
export function runIn(names: Iterable<string>, text: (field: string) => string): TypedRun {
  const prefix = fieldOf("");
  const fields = [...new Set(names)].filter((name) => name.startsWith(prefix));
  return {
    skill: text("skill"),
    values: Object.fromEntries(fields.map((field) => [field.slice(prefix.length), text(field)])),
  };
}

/**
 * The form that runs a skill: a field for each parameter.
 *
 * @param skills of the project, of which one is chosen by its name
 * @param vms of the project: they are offered where a VM is meant
 */
export function RunSkill({ here, skills, chosen, typed, vms }: {
  here: string;
  skills: readonly Runnable[];
  chosen: string | undefined;
  typed: TypedRun | undefined;
  vms: readonly { readonly vmId: string; readonly name: string }[];
}) {
  const skill = skills.find(({ name }) => name === chosen) ?? skills[0]!;
  const wasTyped = typed?.skill === skill.name;
  return (
    <Panel title={t("profiles.run")}>
      <p class="pad text-muted">{t("profiles.run_what")}</p>
      {skills.length > 1 && (
        <p class="pad actions">
          {skills.map(({ name }) => (
            <a
              key={name}
              class="button small"
              href={`${here}?${new URLSearchParams({ skill: name })}#run`}
              aria-current={name === skill.name ? "true" : undefined}
            >
              <bdi>{oneLine(name, 64)}</bdi>
            </a>
          ))}
        </p>
      )}
      <form method="post" id="run">
        <input type="hidden" name="skill" value={skill.name} />
        <div class="form-grid">
          {skill.parameters.map(({ name, type, field, is_secret }) => (
            <TextField
              key={name}
              name={fieldOf(name)}
              label={name}
              hint={field === "vmId" ? t("profiles.type.vm") : t(TYPE_HINTS[type])}
              required
              maxLength={4096}
              {...(field === "vmId" && { list: "skill-vms" })}
              {...(is_secret
                ? { type: "password", again: wasTyped, autocomplete: "off" }
                : { defaultValue: wasTyped ? typed.values[name] ?? "" : "" })}
            />
          ))}
        </div>
        {skill.parameters.length === 0 && <p class="pad text-muted">{t("profiles.no_parameters")}</p>}
        <datalist id="skill-vms">
          {vms.map(({ vmId, name }) => <option key={vmId} value={vmId}>{oneLine(name, 64)}</option>)}
        </datalist>
        <div class="form-actions">
          <button type="submit" class="button" name="action" value="run_skill">
            {t("profiles.run_of", { skill: oneLine(skill.name, 64) })}
          </button>
        </div>
      </form>
    </Panel>
  );
}
