/** What main says, in Simplified Chinese. */
import type { Failure } from '#shared/failure.ts';
import { sentencesInChinese } from '#shared/sentences-zh-cn.ts';
import type { Words } from './words.ts';

const outcomes = {
  ok: '一切正常',
  failed: '有检查项失败',
  leak: '发现泄漏',
  unknown: '有检查项无法确定',
};

/** In the order of the English ones; the system's own words follow the reason. */
function sentenceOf({ code, step, detail }: Failure): string {
  const { what, why, todo } = sentencesInChinese[code];
  const where = step === undefined ? '' : `（${step}）`;
  const words = detail === undefined ? '' : `（${detail}）`;
  return `${what}${where}。${why}${words}。${todo}。`;
}

export const chinese: Words = {
  failure: sentenceOf,
  status: {
    engineFailed: 'Culvert 引擎未运行',
    silent: '有引擎没有响应',
    blocked: '已阻断所有流量',
    unreachable: '代理无法连接：已阻断',
    idle: '没有正在运行的应用',
    unprotected: (unprotected, all) => `${all} 个运行中的应用里有 ${unprotected} 个未经代理`,
    protected: (count) => `${count} 个应用正经由代理`,
    offline: (count) => `${count} 个应用，无网络`,
  },
  standing: {
    starting: '正在启动',
    protected: '已保护',
    direct: '未经代理',
    'no-network': '无网络',
    blocked: '代理无法连接：已阻断',
    silent: '没有响应',
    stopping: '正在停止',
    ended: '已结束',
    failed: '启动失败',
  },
  builtIn: { none: '无网络', direct: '直连（已隔离）' },
  menu: {
    open: '打开 Culvert',
    openApp: '打开应用…',
    recent: '最近打开',
    defaultProfile: '默认配置',
    asksEachTime: '每次询问',
    more: '更多…',
    proxy: '代理',
    check: '检查',
    stop: '停止',
    proxying: '启用代理',
    block: '阻断所有流量',
    settings: '设置',
    quit: '退出…',
  },
  ask: {
    cancel: '取消',
    close: '关闭',
    proxyOff: (apps) => `让 ${apps} 使用你的普通连接？`,
    proxyOffDetail:
      '没有代理时，网站会看到你自己的地址。已打开的连接会被关闭。在命令行中输入代理的应用仍然经由该代理。',
    proxyOffYes: '关闭代理',
    typed: (apps) => `也阻断 ${apps}？`,
    typedDetail: '它们的代理是在命令行中输入的，之后无法恢复。在你为它们选择配置之前，它们会一直被阻断。',
    typedYes: '阻断',
    quit: (count) => `还有 ${count} 个应用在运行`,
    quitDetail: (apps) => `${apps}。继续运行的应用会留在各自的网络中，并沿用其配置。`,
    keepRunning: '继续运行',
    stopApps: '停止应用',
    notStopped: (apps) => `尚未结束：${apps}`,
    notStoppedDetail: '它们可能正在询问是否保存。强制停止会丢失未保存的内容。',
    force: '强制停止',
    closing: '隐藏窗口，还是退出 Culvert？',
    closingDetail:
      '隐藏后，Culvert 留在状态栏中。无论哪种方式，正在运行的应用都会留在各自的网络中，并沿用其配置。',
    hide: '隐藏窗口',
    quitWindow: '退出',
    remember: '以后都这样处理',
    failed: (app) => `对 ${app} 的操作没有成功`,
    checked: (app, outcome) => `${app}：${outcomes[outcome]}`,
  },
  notice: {
    lost: (profile) => `无法连接代理“${profile}”`,
    lostText: (apps) => `${apps}：在代理恢复之前没有网络。没有流量直接发出。`,
    restored: (profile) => `代理“${profile}”已恢复`,
    restoredText: (apps) => `${apps}：已重新经由代理上网。`,
    escaped: (app) => `${app} 在隔离网络之外打开了`,
    escapedText: '已在运行的另一个实例接管了它。请关闭那个实例，然后重新打开该应用。',
    leak: (app) => `发现泄漏：${app}`,
    leakText: '它的流量可能没有全部经由代理。请停止该应用，并查看检查结果。',
    background: 'Culvert 仍在运行',
    backgroundText: '它在状态栏中。再次启动 Culvert 即可看到窗口。',
  },
};
