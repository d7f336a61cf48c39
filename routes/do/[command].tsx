import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { visitOf } from "../../agent/http/entry.ts";
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { noticeOf, noticeText } from "../../lib/text/done.ts";
import type { Notice } from "../../lib/text/notice.ts";
import { errorField } from "../../lib/text/error_field.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { FORM_PLACES } from "../../lib/text/form_href.ts";
import { fieldPath, formField, formInput, requireBounded } from "../../lib/text/form_input.ts";
import { lostBy } from "../../lib/text/lost_by.ts";
import { returnPath } from "../../lib/text/return_path.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { forms } from "../../lib/i18n/en/forms.ts";
import { t as common, textsOf } from "../../lib/i18n/mod.ts";
import { nonceOf, setNonce } from "../../lib/fresh/nonce.ts";
import { bare, type FieldSchema } from "../../lib/text/values.ts";
import { segmentOf } from "../../lib/text/path_segment.ts";
import { define, type PageState } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";
import { readForm } from "../(_shared)/form.ts";
import { soon, taskHref } from "../(_shared)/long_work.ts";
import { givenName, methodOf, subjectName } from "../(_shared)/object_name.ts";

const { t } = textsOf(forms);
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

/** Where the form is, and where to go on. */
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
    fields: all.filter(([name]) => name !== CONFIRMED),
    isConfirmed: all.some(([name, value]) => name === CONFIRMED && value === "yes"),
  };
}

type Fields = Awaited<ReturnType<typeof fieldsIn>>["fields"];

/**
 * What was typed, to be shown again: without what the address says, and without secrets, whose names alone are told. A list
 * has a line for each.
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
    const isList = schema !== undefined && bare(schema).type === "array" && Object.hasOwn(typed, path);
    typed[path] = isList ? `${typed[path]}\n${value}` : value;
  }
  return { typed, withheld };
}

/** A page with another status. */
function withStatus(shown: Response, status: number): Response {
  const response = new Response(shown.body, { status, headers: shown.headers });
  const nonce = nonceOf(shown);
  if (nonce !== undefined) setNonce(response, nonce);
  return response;
}

/** Where a form goes on to that shows its task, as {@link returnPath} writes it. */
const TASK = "/%7Btask%7D";

/** Milliseconds a form waits for a task: a refusal comes by then, and so does the end of what is small. */
const TASK_WAIT_MS = 1500;

/** What became of a form: what is said of it, and what was said with it, by the form and as its answer. */
interface Outcome {
  readonly notice: Notice;
  readonly said: Readonly<Record<string, unknown>>;
  /** The page of the task. */
  readonly task: string | undefined;
}

/** Carries out what a form asks for. @throws {ContractError} */
async function carryOut(api: PageState["api"], command: CommandName, fields: Fields): Promise<Outcome> {
  const methods = api as unknown as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  const row: Command = COMMANDS[command], input = formInput(row, fields);
  const subject = await subjectName(api, command, input);
  const began = Date.now(), work = methods[methodOf(command)]!(input);
  const isOver = !row.isJob || await soon(work, TASK_WAIT_MS);
  const task = row.isJob ? await taskHref(api, command, began) : undefined;
  if (!isOver) {
    const name = subject ?? givenName(command, input, undefined);
    return { notice: { is: "started", word: command, name, task }, said: input, task };
  }
  const answer = await work;
  const notice = noticeOf(command, input, answer, givenName(command, input, answer) ?? subject);
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

/** Every form that is one command with fields, with script and without. */
export const handler = define.handlers({
  /** Somebody comes back to the address of a form that was refused. */
  GET: (ctx) => ctx.redirect(placesIn(ctx.url).from, 303),
  async POST(ctx) {
    const command = commandIn(ctx.params);
    const isScript = ctx.req.headers.get("accept")?.startsWith("application/json") ?? false;
    let posted: Awaited<ReturnType<typeof fieldsIn>>;
    try {
      posted = await fieldsIn(ctx.req, ctx.url);
    } catch (error) {
      if (isScript && error instanceof ContractError) return Response.json(error, { status: error.status });
      return fail(error);
    }
    const { fields, isConfirmed } = posted, { to, from } = placesIn(ctx.url);
    const lost = lostBy(COMMANDS[command], (field) => fields.some(([name]) => name === field));
    if (lost !== undefined && !isConfirmed && !isScript) {
      return page({ command, lost, from, fields: Object.entries(typedIn(command, fields).typed) });
    }
    let outcome: Outcome;
    try {
      outcome = await carryOut(ctx.state.api, command, fields);
    } catch (error) {
      const failure = failureOf(error);
      const known = error instanceof ContractError ? error : undefined;
      if (isScript) return Response.json(known ?? new ContractError("Internal"), { status: failure.status });
      if (known === undefined) throw error;
      // A fresh proof of who asks has a page of its own.
      if (known.code === "PasswordNeeded") {
        return ctx.redirect(`/settings/confirm?${new URLSearchParams({ to: from })}`, 303);
      }
      const refused: RefusedForm = {
        command,
        ...typedIn(command, fields),
        failure,
        field: errorField(known),
      };
      return withStatus(await visitOf(ctx.info).again(from, refused), failure.status);
    }
    if (isScript) return Response.json({ done: noticeText(outcome.notice) ?? "" });
    ctx.state.notify(outcome.notice);
    return ctx.redirect(pageAfter(to, outcome), 303);
  },
});

/** The question before something is lost, for forms that have no page of their own for it. */
export default define.page<typeof handler>(function Confirm({ data: { command, lost, from, fields }, url }) {
  const title = t("forms.confirm_title", { what: COMMANDS[command].summary });
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <form class="panel narrow" method="post" action={url.pathname + url.search}>
        <div class="dialog-body">
          <h1>{title}</h1>
          <p>{t("forms.confirm_lost", { lost })}</p>
          {fields.filter(([name]) => !url.searchParams.has(name)).map(([name, value], index) => (
            <input key={index} type="hidden" name={name} value={value} />
          ))}
          <input type="hidden" name={CONFIRMED} value="yes" />
        </div>
        <footer class="dialog-foot">
          <a class="button" href={from}>{t("forms.cancel")}</a>
          <button type="submit" class="button danger">{t("forms.confirm")}</button>
        </footer>
      </form>
    </>
  );
});
