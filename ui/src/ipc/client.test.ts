import { mockIPC, clearMocks } from '@tauri-apps/api/mocks';
import { afterEach, describe, expect, it } from 'vitest';
import { tauri } from './client';

afterEach(() => clearMocks());

describe('the door to Rust', () => {
  it('answers with data', async () => {
    mockIPC((name) => (name === 'check_link' ? { relay: 'wss://r', expires: 5 } : null));
    expect(await tauri().checkLink('sotto://x')).toEqual({ status: 'ok', data: { relay: 'wss://r', expires: 5 } });
  });

  it('answers with the error that Rust names', async () => {
    const refusal = { code: 'notHost', max: null, link: null };
    mockIPC(() => {
      throw refusal;
    });
    expect(await tauri().deleteRoom('r')).toEqual({ status: 'error', error: refusal });
  });

  it('turns what is outside of the contract into an answer', async () => {
    mockIPC(() => {
      throw new Error('command not allowed');
    });
    expect(await tauri().about()).toMatchObject({ status: 'error', error: { code: 'internal' } });
  });

  it('hands over a channel and hears what comes down', async () => {
    let channel: { onmessage: (event: unknown) => void } | null = null;
    mockIPC((_, payload) => {
      channel = (payload as { channel: typeof channel }).channel;
      return { type: 'new', keyring: 'working' };
    });
    const heard: unknown[] = [];
    await tauri().open((event) => heard.push(event));
    channel!.onmessage({ type: 'lagged' });
    expect(heard).toEqual([{ type: 'lagged' }]);
  });
});
