import { useSignal, type Signal } from '@preact/signals';
import { useCallback, useEffect, useRef } from 'preact/hooks';
import { ApiError, get, unexpected } from './api.ts';
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
  const turn = useRef(0);
  const reading = useRef(false);
  const read = useCallback(async () => {
    if (path === null) return;
    const mine = ++turn.current;
    reading.current = true;
    try {
      const read = await get<Value>(path);
      if (mine !== turn.current) return;
      value.value = read;
      error.value = null;
    } catch (thrown) {
      if (mine === turn.current) error.value = thrown instanceof ApiError ? thrown : unexpected(thrown);
    } finally {
      if (mine === turn.current) reading.current = false;
    }
  }, [path]);
  /** Not while a reply is awaited: with a slow manager, or without a log-in, requests would pile up. */
  const readAgain = useCallback(() => {
    if (!reading.current) void read();
  }, [read]);

  useEffect(() => {
    value.value = null;
    void read();
  }, [read]);
  useEffect(() => (everyMs === undefined ? undefined : every(readAgain, everyMs)), [readAgain, everyMs]);
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
