/** Messages between the schema check and its worker. */

/** A part that the schema does not allow, and its line. */
export interface SchemaFault {
  readonly message: string;
  readonly line?: number;
  readonly element?: string;
  readonly attribute?: string;
}

/** A document to judge, without a document type, and the milliseconds that it may take. */
export interface ToSchemaWorker {
  readonly xml: string;
  readonly ms: number;
}

/** The verdict, or why there is none. */
export type FromSchemaWorker = { readonly fault: SchemaFault | null } | {
  readonly failure: string;
  readonly isLate: boolean;
};
