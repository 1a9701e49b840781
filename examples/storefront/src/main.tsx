import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/controls.css';
import './styles/content.css';
import './styles/pages.css';
import './styles/motion.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { startLanguage } from './i18n/index.ts';
import { loadUser } from './shop.ts';

void loadUser();
await startLanguage();
const root = document.getElementById('app');
if (root) render(<App />, root);
