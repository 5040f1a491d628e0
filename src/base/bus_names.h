/* What the agent is called on the system bus; docs/DBUS.md. */
#pragma once

#define SU_BUS_NAME "org.suture1"
#define SU_BUS_PATH "/org/suture1"
#define SU_BUS_JOB_PATH "/org/suture1/job"
#define SU_BUS_MANAGER "org.suture1.Manager"
#define SU_BUS_JOB "org.suture1.Job"
#define SU_BUS_ERROR_PREFIX "org.suture1.Error."

/* polkit's actions */
#define SU_ACTION_CHECK "org.suture1.check"
#define SU_ACTION_INSTALL "org.suture1.install"
#define SU_ACTION_REMOVE "org.suture1.remove"
#define SU_ACTION_CONFIGURE "org.suture1.configure"
