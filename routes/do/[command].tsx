import { type Context, HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { OwnPassword } from "../../components/access/OwnPassword.tsx";
import { Flash } from "../../components/kit/Flash.tsx";
import { OWN_PASSWORD } from "../../lib/access/forms.ts";
import { visitOf } from "../../agent/http/entry.ts";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { noticeOf, noticeText } from "../../lib/text/done.ts";
import type { Notice } from "../../lib/text/notice.ts";
import { errorField } from "../../lib/text/error_field.ts";
import { type Failure, failureOf } from "../../lib/text/failure.ts";
import { FORM_PLACES } from "../../lib/text/form_href.ts";
import { formField, formInput, requireBounded } from "../../lib/text/form_input.ts";
import { fieldPath } from "../../lib/text/form_names.ts";
import { lostBy } from "../../lib/text/lost_by.ts";
import { returnPath } from "../../lib/text/return_path.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { forms } from "../../lib/i18n/en/forms.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";
import { type FieldSchema, unwrappedSchema } from "../../lib/text/values.ts";
import { segmentOf } from "../../lib/text/path_segment.ts";
import { isLive } from "../../lib/vm/state.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { confirmOwn } from "../(_shared)/own_password.ts";
import { readForm, sentForm } from "../(_shared)/form.ts";
import { withStatus } from "../(_shared)/kept_form.ts";
import { finishesWithin, taskHref } from "../(_shared)/long_work.ts";
import { givenName, methodOf, subjectName } from "../(_shared)/object_name.ts";

const { t } = textsOf(forms), texts = textsOf(access);
/** The field that says a person has read what is lost. */
const CONFIRMED = "confirmed";

/** The command of the address. @throws {HttpError} 404 for what no form can ask for */
function commandIn(params: Record<string, string>): CommandName {
  const name = params.command ?? "";
  const command: Command | undefined = Object.hasOwn(COMMANDS, name)
    ? COMMANDS[name as CommandName]
    : undefined;
  if (command === undefined || command.readOnly || command.content !== undefined) throw new HttpError(404);
  return name as CommandName;
}

/** The form's own page (`from`) and the page to go on to (`to`). */
function placesIn({ searchParams }: URL): { readonly to: string; readonly from: string } {
  const to = returnPath(searchParams.get("to"));
  return { to, from: searchParams.has("from") ? returnPath(searchParams.get("from")) : to };
}

/** The fields of the address and of the form, and whether a person has confirmed. */
async function fieldsIn(req: Request, { searchParams }: URL) {
  const form = await readForm(req);
  const places: readonly string[] = FORM_PLACES;
  const all = [...[...searchParams].filter(([name]) => !places.includes(name)), ...form];
  requireBounded(all.map(([name]) => name));
  return {
    fields: all.filter(([name]) => name !== CONFIRMED && name !== OWN_PASSWORD),
    form,
    isConfirmed: all.some(([name, value]) => name === CONFIRMED && value === "yes"),
  };
}

type Posted = Awaited<ReturnType<typeof fieldsIn>>;
type Fields = Posted["fields"];

/**
 * Typed fields, to be shown again, without those in the address. Of secret fields it has the names only. A list has a
 * line for each item.
 */
function typedIn(command: CommandName, fields: Fields): Pick<RefusedForm, "typed" | "withheld"> {
  const input: FieldSchema = (COMMANDS[command] as Command).input;
  const typed: Record<string, string> = {}, withheld: string[] = [];
  for (const [name, value] of fields) {
    if (typeof value !== "string") continue;
    const { path } = fieldPath(name), { schema, isSecret } = formField(input, path);
    if (isSecret) {
      if (value !== "") withheld.push(path);
      continue;
    }
    const isList = schema !== undefined && unwrappedSchema(schema).type === "array" &&
      Object.hasOwn(typed, path);
    typed[path] = isList ? `${typed[path]}\n${value}` : value;
  }
  return { typed, withheld };
}

/** Placeholder for the task's id in the address that a form goes on to, as {@link returnPath} writes it. */
const TASK = "/%7Btask%7D";

/** Milliseconds a form waits for a task: a refusal comes by then, and so does the end of what is small. */
const TASK_WAIT_MS = 1500;

/** Outcome of a form: the notice, and the values given with it by the form and by its answer. */
interface Outcome {
  readonly notice: Notice;
  readonly said: Readonly<Record<string, unknown>>;
  /** The page of the task. */
  readonly task: string | undefined;
}

/** Whether the answer tells where a change of a VM was made, and the VM runs. */
async function isRunning(
  api: PageState["api"],
  { vmId }: Record<string, unknown>,
  answer: unknown,
): Promise<boolean> {
  return typeof vmId === "string" && Object.hasOwn(answer ?? {}, "persistent") &&
    isLive(await api.getVm({ vmId }));
}

/** Carries out what a form asks for. @throws {ContractError} */
async function carryOut(
  api: PageState["api"],
  command: CommandName,
  { fields, form }: Posted,
): Promise<Outcome> {
  const methods = api as unknown as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  const row: Command = COMMANDS[command], input = formInput(row, fields);
  await confirmOwn(api, form);
  const subject = await subjectName(api, command, input);
  const began = Date.now(), work = methods[methodOf(command)]!(input);
  const isOver = !row.isJob || await finishesWithin(work, TASK_WAIT_MS);
  const task = row.isJob ? await taskHref(api, command, began) : undefined;
  if (!isOver) {
    const name = subject ?? givenName(command, input, undefined);
    return { notice: { is: "started", word: command, name, task }, said: input, task };
  }
  const answer = await work;
  const name = givenName(command, input, answer) ?? subject;
  const notice = noticeOf(command, input, answer, name, await isRunning(api, input, answer));
  const said = typeof answer === "object" && !Array.isArray(answer) ? { ...answer, ...input } : input;
  return { notice, said, task };
}

/** The page to go on to: `{name}` in its path is what the form, else the answer, said for `name`; `/{task}` its task's. */
function pageAfter(to: string, { said, task }: Outcome): string {
  const [path = "/", query] = (to === TASK && task !== undefined ? task : to).split("?");
  const filled = path.replace(
    /%7B(\w+)%7D/g,
    (_braces, field: string) => segmentOf(String(said[field] ?? "")),
  );
  return query === undefined ? filled : `${filled}?${query}`;
}

/** Question before a form is carried out: a confirmation of a loss, or the user's own password again. */
type Question = { readonly asks: "lost"; readonly lost: string } | {
  readonly asks: "own";
  readonly failure: Failure | null;
};

/** Fields that a question's page passes on unseen. */
const passedOn = (command: CommandName, { fields, isConfirmed }: Posted): [name: string, value: string][] => [
  ...fields.filter(([name, value]) =>
    typeof value === "string" &&
    !formField((COMMANDS[command] as Command).input, fieldPath(name).path).isSecret
  ) as [string, string][],
  ...isConfirmed ? [[CONFIRMED, "yes"] as [string, string]] : [],
];

/** Answers a form that was refused: the question who asks where that was wrong, else its page with what was typed. */
async function refusedPage(
  ctx: Context<PageState>,
  command: CommandName,
  posted: Posted,
  error: ContractError,
) {
  const { from } = placesIn(ctx.url), failure = failureOf(error);
  const typed = typedIn(command, posted.fields);
  const isOwn = error.code === "PasswordNeeded" ||
    posted.form.has(OWN_PASSWORD) && error.code === "SignInFailed";
  // A secret is not sent back: its form itself has the field for the proof, and is shown again.
  if (isOwn && typed.withheld.length === 0) {
    const question: Question = { asks: "own", failure: error.code === "PasswordNeeded" ? null : failure };
    return page({ command, from, question, fields: passedOn(command, posted) }, { status: failure.status });
  }
  const form = sentForm(ctx.req);
  if (form !== undefined) {
    const input: FieldSchema = (COMMANDS[command] as Command).input;
    form.page = from;
    form.isSecret = (name) => name === OWN_PASSWORD || formField(input, fieldPath(name).path).isSecret;
  }
  const refused: RefusedForm = { command, ...typed, failure, field: errorField(error) };
  return withStatus(await visitOf(ctx.info).again(from, refused), failure.status);
}

/** Every form that is one command with fields, with script and without. */
export const handler = define.handlers({
  /** Somebody comes back to the address of a form that was refused. */
  GET: (ctx) => ctx.redirect(placesIn(ctx.url).from, 303),
  async POST(ctx) {
    const command = commandIn(ctx.params);
    const isScript = ctx.req.headers.get("accept")?.startsWith("application/json") ?? false;
    let posted: Posted;
    try {
      posted = await fieldsIn(ctx.req, ctx.url);
    } catch (error) {
      if (isScript && error instanceof ContractError) return Response.json(error, { status: error.status });
      return fail(error);
    }
    const { fields, isConfirmed } = posted, { to, from } = placesIn(ctx.url);
    const lost = lostBy(COMMANDS[command], (field) => fields.some(([name]) => name === field));
    if (lost !== undefined && !isConfirmed && !isScript) {
      const question: Question = { asks: "lost", lost };
      return page({ command, from, question, fields: passedOn(command, posted) });
    }
    let outcome: Outcome;
    try {
      outcome = await carryOut(ctx.state.api, command, posted);
    } catch (error) {
      const known = error instanceof ContractError ? error : undefined;
      if (isScript) {
        return Response.json(known ?? new ContractError("Internal"), { status: failureOf(error).status });
      }
      if (known === undefined) throw error;
      return await refusedPage(ctx, command, posted, known);
    }
    const { notice } = outcome;
    if (isScript) return Response.json({ done: noticeText(notice) ?? "", warnings: notice.warnings ?? [] });
    ctx.state.notify(notice);
    return ctx.redirect(pageAfter(to, outcome), 303);
  },
});

/** The question before a form is carried out, for forms that do not ask it themselves. */
export default define.page<typeof handler>(function Confirm({ data, state, url }) {
  const { command, question, from, fields } = data, isLoss = question.asks === "lost";
  const title = isLoss
    ? t("forms.confirm_title", { what: COMMANDS[command].summary })
    : texts.t("access.confirm_title");
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post" action={url.pathname + url.search}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>
            {isLoss
              ? t("forms.confirm_lost", { lost: question.lost })
              : t("forms.confirm_own", { what: COMMANDS[command].summary })}
          </p>
          {!isLoss && <Flash tone="bad" failure={question.failure} />}
          {fields.filter(([name]) => !url.searchParams.has(name)).map(([name, value], index) => (
            <input key={index} type="hidden" name={name} value={value} />
          ))}
          {isLoss
            ? <input type="hidden" name={CONFIRMED} value="yes" />
            : <OwnPassword user={state.user} again={question.failure !== null} />}
        </div>
        <footer class="dialog-foot">
          <a class="button" href={from}>{t("forms.cancel")}</a>
          <button type="submit" class={isLoss ? "button danger" : "button primary"}>
            {t("forms.confirm")}
          </button>
        </footer>
      </form>
    </>
  );
});
