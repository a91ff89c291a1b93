//! `sortie recipient set`, `remove` and `test`.

use std::path::Path;

use sortie_client::people::Hub;
use sortie_rules::notifications::Channel;
use sortie_wire::notifications::{PutRecipient, TestRecipient};

use crate::commands::written::read_object;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::output::Table;

/// Makes one, or puts it in place of the one of its name.
pub(super) async fn set(file: &Path, secret_file: Option<&Path>, hub: &Hub, context: &Context) -> Done {
    let output = context.output;
    let (name, recipient) = read_object(file, "recipient")?;
    let secret = |file: &Path| {
        let text = std::fs::read_to_string(file);
        text.map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))
    };
    let webhook_secret = secret_file.map(secret).transpose()?.map(|text| text.trim().to_owned());
    let made = hub.set_recipient(&name, &PutRecipient { recipient, webhook_secret }).await?;
    output.either(&made, |made| {
        output.say(&format!("`{name}` is told from now on; `sortie recipient test {name}` shows whether it arrives."));
        if let Some(secret) = &made.webhook_secret {
            output.say("The secret that signs calls of its webhook; it is not shown again:");
            return output.line(secret);
        }
        Ok(())
    })
}

/// Removes one.
pub(super) async fn remove(name: &str, hub: &Hub, context: &Context) -> Done {
    let (removed, output) = (hub.remove_recipient(name).await?, context.output);
    output.either(&removed, |_| {
        output.say(&format!("`{name}` is told nothing any more."));
        Ok(())
    })
}

/// Sends a test.
pub(super) async fn test(name: &str, channel: Option<Channel>, hub: &Hub, context: &Context) -> Done {
    let outcomes = hub.test_recipient(name, &TestRecipient { channel }).await?;
    let output = context.output;
    output.either(&outcomes, |outcomes| {
        let mut table = Table::new(["by", "state", "code", "why"]);
        for one in outcomes {
            let (code, why) = (one.code.clone().unwrap_or_default(), one.why.clone().unwrap_or_default());
            table.row([one.channel.as_str().to_owned(), one.state.clone(), code, why]);
        }
        output.table(&table)
    })?;
    match outcomes.iter().find(|one| one.state != "sent") {
        Some(failed) => Err(Failure::other(format!("the {} did not arrive", failed.channel.as_str()))),
        None => Ok(()),
    }
}
