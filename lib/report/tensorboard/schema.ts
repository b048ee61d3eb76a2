/** The messages of TensorFlow's event.proto and summary.proto, as far as nabla writes them. */
import protobuf from "protobufjs/light.js";

const field = (type: string, id: number) => ({ type, id });
const repeated = (type: string, id: number) => ({ rule: "repeated", type, id });
const packed = (type: string, id: number) => ({ ...repeated(type, id), options: { packed: true } });

const root = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: field("double", 1),
        step: field("int64", 2),
        fileVersion: field("string", 3),
        summary: field("Summary", 5),
        sessionLog: field("SessionLog", 7),
      },
      oneofs: { what: { oneof: ["fileVersion", "summary", "sessionLog"] } },
    },
    SessionLog: { fields: { status: field("int32", 1) } },
    Summary: {
      fields: { value: repeated("Value", 1) },
      nested: {
        Value: {
          fields: {
            tag: field("string", 1),
            simpleValue: field("float", 2),
            histo: field("Histogram", 5),
            tensor: field("Tensor", 8),
            metadata: field("Metadata", 9),
          },
          oneofs: { value: { oneof: ["simpleValue", "histo", "tensor"] } },
        },
      },
    },
    Histogram: {
      fields: {
        min: field("double", 1),
        max: field("double", 2),
        num: field("double", 3),
        sum: field("double", 4),
        sumSquares: field("double", 5),
        bucketLimit: packed("double", 6),
        bucket: packed("double", 7),
      },
    },
    Tensor: {
      fields: { dtype: field("int32", 1), tensorShape: field("Shape", 2), stringVal: repeated("bytes", 8) },
    },
    Shape: {
      fields: { dim: repeated("Dim", 2) },
      nested: { Dim: { fields: { size: field("int64", 1) } } },
    },
    Metadata: {
      fields: { pluginData: field("PluginData", 1) },
      nested: { PluginData: { fields: { pluginName: field("string", 1) } } },
    },
  },
});

/** The status of a session that begins: readers drop what earlier files have from its step on. */
export const sessionStart = 1;
/** TensorFlow's number of the dtype of texts. */
export const stringDtype = 7;

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
}

export interface SummaryValue {
  readonly tag: string;
  readonly simpleValue?: number;
  readonly histo?: Histogram;
  readonly tensor?: { readonly dtype: number; readonly tensorShape: object; readonly stringVal: readonly Uint8Array[] };
  readonly metadata?: { readonly pluginData: { readonly pluginName: string } };
}

export interface EventMessage {
  readonly wallTime: number;
  readonly step?: number;
  readonly fileVersion?: string;
  readonly sessionLog?: { readonly status: number };
  readonly summary?: { readonly value: readonly SummaryValue[] };
}

const event = root.lookupType("Event");

export const encodeEvent = (message: EventMessage): Uint8Array => event.encode(message).finish();
