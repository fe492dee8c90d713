/** What lies open on the screen: one dialog, side panels, and which column a narrow window shows. */
export type SettingsPage = 'profile' | 'appearance' | 'notifications' | 'devices' | 'relay' | 'security' | 'about';

export type Sheet =
  | { type: 'newRoom' }
  | { type: 'join'; link: string; clicked: boolean }
  | { type: 'settings'; page: SettingsPage }
  | { type: 'roomSettings'; room: string }
  | { type: 'verify'; room: string; user: string }
  | { type: 'recovery' }
  | { type: 'shortcuts' }
  | { type: 'palette' };

export type Question = {
  title: string;
  text: string;
  yes: string;
  danger: boolean;
  run: () => Promise<unknown> | void;
};

/** Wide enough for a third column. */
export const THREE_COLUMNS = 1120;
/** Too narrow for two. */
export const ONE_COLUMN = 720;

export class Desk {
  sheet = $state.raw<Sheet | null>(null);
  question = $state.raw<Question | null>(null);
  people = $state(typeof innerWidth === 'number' && innerWidth >= THREE_COLUMNS);
  pane = $state<'rooms' | 'room'>('rooms');

  open(sheet: Sheet): void {
    this.sheet = sheet;
  }

  close(): void {
    this.sheet = null;
  }

  ask(question: Question): void {
    this.question = question;
  }
}
