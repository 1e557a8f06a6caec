import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

/** What a payload that cannot be read becomes. */
export interface Undecodable {
  readonly undecodable: string;
}

/**
 * The default converter, except that a payload which cannot be read becomes a value that says so. With the default
 * one, a single malformed signal from outside would fail every workflow task of its promise, for ever.
 */
class ForgivingConverter implements PayloadConverter {
  toPayload<T>(value: T): Payload {
    return defaultPayloadConverter.toPayload(value);
  }

  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      const undecodable: Undecodable = {
        undecodable: error instanceof Error ? error.message : String(error),
      };
      return undecodable as T;
    }
  }
}

export const payloadConverter = new ForgivingConverter();
