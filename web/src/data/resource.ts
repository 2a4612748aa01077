import { useSignal, type Signal } from '@preact/signals';
import { useCallback, useEffect } from 'preact/hooks';
import { ApiError, get } from './api.ts';
import { follow } from './live.ts';
import { every, later } from './time.ts';

export interface Resource<Value> {
  readonly value: Signal<Value | null>;
  readonly error: Signal<ApiError | null>;
  refresh(): void;
}

interface ResourceOptions {
  /** Reads again when the live feed has something about this topic, at most twice a second. */
  readonly topic?: string;
  readonly everyMs?: number;
}

/** One answer of the API. Null `path` reads nothing. */
export function useResource<Value>(path: string | null, { topic, everyMs }: ResourceOptions = {}): Resource<Value> {
  const value = useSignal<Value | null>(null);
  const error = useSignal<ApiError | null>(null);
  const read = useCallback(async () => {
    if (path === null) return;
    try {
      value.value = await get<Value>(path);
      error.value = null;
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : unexpected(thrown);
    }
  }, [path]);

  useEffect(() => {
    value.value = null;
    void read();
  }, [read]);
  useEffect(() => (everyMs === undefined ? undefined : every(() => void read(), everyMs)), [read, everyMs]);
  useEffect(() => {
    if (topic === undefined) return;
    let cancel: (() => void) | null = null;
    const unfollow = follow(topic, (message) => {
      if (message.type !== 'delta' || cancel !== null) return;
      cancel = later(() => {
        cancel = null;
        void read();
      }, 500);
    });
    return () => {
      unfollow();
      cancel?.();
    };
  }, [read, topic]);
  return { value, error, refresh: () => void read() };
}

function unexpected(thrown: unknown): ApiError {
  return new ApiError(0, { error: String(thrown), error_code: 'unexpected' });
}
