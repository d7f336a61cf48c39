/** The contract's .proto, with the committed numbers. Pure. */
import numbers from "./field_numbers.json" with { type: "json" };
import { contractFile } from "./contract_file.ts";
import { protoText } from "./proto_text.ts";

/** The file as text. */
export const contractProto = (): string => protoText(contractFile(numbers).file);
