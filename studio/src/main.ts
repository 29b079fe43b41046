import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { app } from './state/app.svelte'
import { preferences } from './state/preferences.svelte'

preferences.applyTheme()
void app.start()
mount(App, { target: document.getElementById('app')! })
