/** Findings about a configuration: errors and warnings, each by its field. Pure. */
import { message, type Sentence, type Unrendered } from "../../i18n/message.ts";
import { type ConfigFinding, type WarningCode, WARNINGS } from "../../contract/create.ts";
import { ContractError, type ErrorCode } from "../../contract/errors.ts";

type Finding = Unrendered<ConfigFinding>;

/** Collects what is wrong, and what is worth knowing. */
export class Findings {
  readonly #errors: { readonly field: string; readonly error: ContractError }[] = [];
  readonly warnings: Finding[] = [];

  /** The same so far; what is added to it is not added here. */
  copy(): Findings {
    const copy = new Findings();
    copy.#errors.push(...this.#errors);
    copy.warnings.push(...this.warnings);
    return copy;
  }

  get errors(): Finding[] {
    return this.#errors.map(({ field, error }) => ({ field, code: error.code, message: error.sentence }));
  }

  /** The first error, in the order of the fields. */
  get first(): ContractError | undefined {
    return this.#errors[0]?.error;
  }

  refuse(field: string, error: ContractError): void {
    this.#errors.push({ field, error });
  }

  error(field: string, code: ErrorCode, details: Record<string, unknown> = {}): void {
    this.refuse(field, new ContractError(code, { field, ...details }));
  }

  /** More than the host has: an error, or a warning with the same text where that is allowed. */
  exceeds(
    field: string,
    code: "MemoryExceedsHost" | "DiskExceedsPool",
    details: Readonly<Record<"requested" | "available", number>>,
    allowed: boolean,
  ): void {
    const error = new ContractError(code, { field, ...details });
    if (allowed) this.warnings.push({ field, code, message: error.sentence });
    else this.refuse(field, error);
  }

  /** An error without a code of its own: the field, and what is wrong with it. */
  invalid(field: string, reason: Sentence): void {
    this.error(field, "InvalidInput", { reason: message`${field} ${reason}` });
  }

  missing(field: string, what: string, reason: Sentence): void {
    this.error(field, "NotOnThisHost", { what, reason });
  }

  warn(field: string, code: WarningCode, details: Readonly<Record<string, unknown>> = {}): void {
    this.warnings.push({ field, code, message: { $text: WARNINGS[code], args: details } });
  }
}
